"""The operations, by family. Each module is a part of the one table (see `chainrule.primitive`)."""
