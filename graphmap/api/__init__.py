"""One short function per use case; what `import graphmap` offers is re-exported from here."""
