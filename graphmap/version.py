"""The version of graphmap, where neither the package root nor its metadata need be imported."""

VERSION = "0.1.0"
