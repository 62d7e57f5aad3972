"""The catalogues of the other languages, made and checked without gettext's tools (`manage.py translations`)."""
