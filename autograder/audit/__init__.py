"""The audit: do a lesson's tests tell right answers from wrong ones?"""
