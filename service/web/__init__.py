"""The web page: templates, styles, small scripts, and the routes that answer with HTML.

Everything works as plain forms and links; the modules in `static/` make it live. Texts are in `texts.py`, in both languages.
"""
