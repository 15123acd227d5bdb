"""Fresh matching cases from packages that install; see scripts/make_cases."""
