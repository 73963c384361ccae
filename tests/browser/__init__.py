"""Tests that drive headless Chromium: JupyterLab as a student sees it, pages without a kernel."""
