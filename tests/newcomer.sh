#!/usr/bin/env bash
# Does what README and the quickstarts say, and nothing else, in empty environments: on bare WSGI, in a Flask app of
# five lines, in what `django-admin startproject` makes. tests/docs/pages.py takes the lines out of the pages, and says
# page and line where something is not as it is shown. PYTHON names the Python to do it with.
set -euo pipefail
cd "$(dirname "$0")/.."

python="$(realpath "$(command -v "${PYTHON:-python3}")")"
folder="$(mktemp -d)"
reader=""
trap '[ -z "$reader" ] || { kill "$reader" 2>/dev/null && wait "$reader"; } || true; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV FLASK_APP DJANGO_SETTINGS_MODULE

# The pages, and what reads them, lie where no `nextapi` can be imported from but the installed one.
mkdir "$folder/clone" "$folder/pages"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from - --ignore-failed-read --create \
    | tar --extract --directory "$folder/clone"
mkdir "$folder/pages/tests"
cp -r "$folder/clone/README.md" "$folder/clone/docs" "$folder/pages"
cp -r "$folder/clone/tests/docs" "$folder/clone/tests/support" "$folder/pages/tests"
cd "$folder/pages"

empty_environment() {
    environment="$folder/environments/$1"
    "$python" -m venv "$environment"
}

# in_it PROJECT PAGE... [--without HEADING]...
in_it() {
    local project="$folder/projects/$1"
    shift
    "$environment/bin/python" -m tests.docs.pages --wheel "$wheel" --project "$project" "$@" &
    reader=$!
    wait "$reader"
    reader=""
}

echo "the distribution, from a clean copy of this clone:"
empty_environment build
"$environment/bin/pip" wheel --quiet --no-deps --wheel-dir "$folder" "$folder/clone"
wheel="$(echo "$folder"/*.whl)"
echo "  $(basename "$wheel")"

echo "bare WSGI:"
empty_environment wsgi
"$environment/bin/pip" list --format freeze | cut -d = -f 1 >"$folder/before"
in_it wsgi README.md --without Flask --without Django
added="$("$environment/bin/pip" list --format freeze | cut -d = -f 1 | grep -vxFf "$folder/before" | sort -f | xargs)"
echo "  installed: $added"
# MarkupSafe is werkzeug's, packaging is that of some gunicorns.
[ "${added/ packaging/}" = "gunicorn MarkupSafe nextapi-wsgi Werkzeug" ] \
    || { echo "werkzeug is not the only dependency" >&2; exit 1; }

echo "a Flask app of five lines:"
empty_environment flask
cat >old_app.md <<'PAGE'
```sh
pip install flask gunicorn
```

```python
# app.py
from flask import Flask
app = Flask(__name__)
@app.get("/api/health")
def health():
    return "the app's own"
```
PAGE
cat >its_own_answers.md <<'PAGE'
```console
$ gunicorn app:app
$ curl -i localhost:8000/api/health
HTTP/1.1 200 OK
Content-Type: text/html; charset=utf-8
Content-Length: 13

the app's own
$ curl -i -X OPTIONS localhost:8000/api/health
HTTP/1.1 200 OK
Content-Type: text/html; charset=utf-8
Allow: ...
Content-Length: 0
$ curl -i -X DELETE localhost:8000/api/health
HTTP/1.1 405 METHOD NOT ALLOWED
...
$ curl -i localhost:8000/
HTTP/1.1 404 NOT FOUND
...
```
PAGE
in_it flask old_app.md its_own_answers.md README.md its_own_answers.md --without WSGI --without Django

echo "a new Django project:"
empty_environment django
cat >old_project.md <<'PAGE'
```sh
pip install django gunicorn
```

```console
$ django-admin startproject mysite .
```
PAGE
cat >its_own_answers.md <<'PAGE'
```console
$ gunicorn mysite.wsgi
$ curl -i localhost:8000/admin
HTTP/1.1 301 Moved Permanently
...
Location: /admin/
...
$ curl -i localhost:8000/admin/
HTTP/1.1 302 Found
...
Location: /admin/login/?next=/admin/
...
$ curl -i localhost:8000/admin/login/
HTTP/1.1 200 OK
...<title>Log in | Django site admin</title>...
$ curl -i localhost:8000/nothing
HTTP/1.1 404 Not Found
...
```
PAGE
in_it before old_project.md its_own_answers.md
in_it django README.md its_own_answers.md --without WSGI --without Flask

for page in quickstart flask django; do
    echo "docs/$page.md:"
    empty_environment "docs-$page"
    in_it "docs-$page" "docs/$page.md"
done

echo "all is as README and the quickstarts promise"
