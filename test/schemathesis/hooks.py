"""What the tester cannot know from the OpenAPI document: credentials that work, ids of what there is.

Whatever a call ends or changes is made for that call, so that the tester does not lock itself out. A value is left as it
was made in one of four cases, and wherever it was made to be refused.
"""

import atexit
import json
import os
import threading
from collections import Counter, defaultdict
from itertools import count
from uuid import uuid4

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

url = os.environ["QUASH_URL"]
admin = {"email": os.environ["QUASH_ADMIN_EMAIL"], "password": os.environ["QUASH_ADMIN_PASSWORD"]}
password = "correct horse battery"
own_token = {"/auth/logout", "/me/stream"}

session = requests.Session()
numbers = count(1)
statuses = defaultdict(Counter)


def call(method, path, token=None, body=None):
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = session.request(method, f"{url}{path}", headers=headers, json=body, timeout=10)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def sign_in(credentials):
    return call("POST", "/auth/login", body=credentials)


admin_token = sign_in(admin)["access_token"]
admin_id = call("GET", "/me", admin_token)["id"]


def new_user():
    credentials = {"email": f"tester-{next(numbers)}@example.com", "password": password}
    return call("POST", "/users", admin_token, credentials)["id"], credentials


def new_grant():
    return sign_in(new_user()[1])


def token_id():
    return call("GET", "/me", new_grant()["access_token"])["token"]["jti"]


def event_id():
    return call("POST", f"/users/{new_user()[0]}/sign-out", admin_token)["event_id"]


ids = {"id": lambda: new_user()[0], "jti": token_id, "event_id": event_id, "slug": lambda: "token-revoked"}
bodies = {
    "/auth/login": lambda: new_user()[1],
    "/auth/refresh": lambda: {"refresh_token": new_grant()["refresh_token"]},
}


@schemathesis.auth(refresh_interval=None).apply_to(path=list(own_token))
class OwnToken:
    def get(self, case, context):
        return new_grant()["access_token"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.auth().skip_for(path=list(own_token))
class AdminToken:
    def get(self, case, context):
        return admin_token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


def is_kept(value):
    """The same for the same value, so that a failure can be made again."""
    return sum(json.dumps(value, sort_keys=True, default=str).encode()) % 4 == 0


@schemathesis.hook
def before_call(context, case, kwargs):
    is_linked = case.meta is not None and case.meta.phase.name.value == "stateful"
    for name, make in ids.items():
        given = case.path_parameters.get(name)
        if given == admin_id or (given is not None and not is_linked and may_be_replaced(case, ParameterLocation.PATH, given)):
            case.path_parameters[name] = make()
    replace_cursor(case)
    if "Idempotency-Key" in case.headers and case.meta is not None and not case.meta.is_negative_at(ParameterLocation.HEADER):
        case.headers["Idempotency-Key"] = str(uuid4())
    make_body = bodies.get(case.path)
    if make_body is not None and may_be_replaced(case, ParameterLocation.BODY, case.body):
        case.body = make_body()
    authorization = case.headers.get("Authorization")
    if case.path == "/me/stream" and authorization is not None:
        threading.Timer(0.3, end_session, [authorization]).start()


def replace_cursor(case):
    """A schema cannot say that a cursor is one which was given out."""
    if "cursor" not in case.query or case.meta is None or case.meta.is_negative_at(ParameterLocation.QUERY):
        return
    cursor = call("GET", f"{case.path}?limit=1", admin_token)["next_cursor"]
    if cursor is None:
        del case.query["cursor"]
    else:
        case.query["cursor"] = cursor


def may_be_replaced(case, location, given):
    return case.meta is not None and not case.meta.is_negative_at(location) and not is_kept(given)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """JSON Schema counts a password's characters, the API its bytes: they differ outside ASCII."""
    password = case.body.get("password") if isinstance(case.body, dict) else None
    if not isinstance(password, str) or password.isascii():
        return True
    if failure.code == "ST202":
        return {error["pointer"] for error in response.json().get("errors", [])} != {"/password"}
    return not (failure.code == "ST201" and len(password) < 8 <= len(password.encode()))


def end_session(authorization):
    """A stream ends with its token. One that is not a token ends nothing."""
    requests.post(f"{url}/auth/logout", headers={"authorization": authorization}, timeout=10)


@schemathesis.hook
def after_call(context, case, response):
    statuses[f"{response.request.method} {case.path}"][response.status_code] += 1


@atexit.register
def write_statuses():
    with open(os.environ["QUASH_STATUSES_FILE"], "w", encoding="utf-8") as file:
        json.dump(statuses, file)
