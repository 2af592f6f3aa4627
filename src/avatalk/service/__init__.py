"""The HTTP service. `app.create_app` puts it together; every other file is a part. See docs/http.md."""
