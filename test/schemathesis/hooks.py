"""What the tester cannot know from the OpenAPI document: credentials that work, ids of what there is.

Whatever a call ends or changes is made for that call, so that the tester does not lock itself out. A value is left as it
was made in one of four cases, and wherever it was made to be refused.
"""

import atexit
import json
import os
import re
import threading
from base64 import b64encode
from collections import Counter, defaultdict
from itertools import count
from uuid import uuid4

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

url = os.environ["QUASH_URL"]
admin = {"email": os.environ["QUASH_ADMIN_EMAIL"], "password": os.environ["QUASH_ADMIN_PASSWORD"]}
client_id, client_secret = os.environ["QUASH_CLIENT_ID"], os.environ["QUASH_CLIENT_SECRET"]
password = "correct horse battery"
own_token = ["/auth/logout", "/me/stream", "/me/sessions/{id}"]
oauth = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]

session = requests.Session()
numbers = count(1)
own_tokens = set()
statuses = defaultdict(Counter)


def call(method, path, token=None, body=None):
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = session.request(method, f"{url}{path}", headers=headers, json=body, timeout=10)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def sign_in(credentials):
    return call("POST", "/auth/login", body=credentials)


admin_token = sign_in(admin)["access_token"]
me = call("GET", "/me", admin_token)


def new_user():
    credentials = {"email": f"tester-{next(numbers)}@example.com", "password": password}
    return call("POST", "/users", admin_token, credentials)["id"], credentials


def new_grant():
    return sign_in(new_user()[1])


def token_id():
    return call("GET", "/me", new_grant()["access_token"])["token"]["jti"]


def event_id():
    return call("POST", f"/users/{new_user()[0]}/sign-out", admin_token)["event_id"]


def session_of(token):
    return next(one["id"] for one in call("GET", "/me/sessions", token)["items"] if one["current"])


def new_administrator():
    """One whose deactivations are held beyond a few, other than those of the first."""
    credentials = {"email": f"tester-{next(numbers)}@example.com", "password": password, "roles": ["admin"]}
    created = call("POST", "/users", admin_token, credentials)
    return created["id"], sign_in({"email": credentials["email"], "password": password})["access_token"]


colleague_id, colleague_token = new_administrator()
untouchable = {me["id"], me["token"]["jti"], session_of(admin_token), colleague_id, client_id}


def held_event_id():
    while True:
        receipt = call("POST", f"/users/{new_user()[0]}/deactivate", colleague_token)
        if receipt["status"] == "held":
            return receipt["event_id"]


def user_and_session():
    user, credentials = new_user()
    return {"id": user, "sid": session_of(sign_in(credentials)["access_token"])}


def new_event():
    source = f"https://upstream.example.com/{uuid4()}"
    return {"specversion": "1.0", "id": "1", "source": source, "type": "user.deactivated", "subject": new_user()[0]}


def new_attributes():
    return {f"ce-{name}": value for name, value in new_event().items()}


def new_token():
    return {"token": new_grant()["access_token"]}


ids = {"id": lambda: new_user()[0], "jti": token_id, "event_id": event_id, "sid": lambda: str(uuid4())}
ids["slug"] = lambda: "token-revoked"
ids_of_path = {
    "/revocations/{event_id}/confirm": lambda: {"event_id": held_event_id()},
    "/users/{id}/sessions/{sid}": user_and_session,
}
bodies = {
    "/auth/login": lambda: new_user()[1],
    "/auth/refresh": lambda: {"refresh_token": new_grant()["refresh_token"]},
    "/events": new_event,
    "/oauth/token": lambda: {"grant_type": "client_credentials"},
    "/oauth/revoke": new_token,
    "/oauth/introspect": new_token,
}


@schemathesis.auth(refresh_interval=None).apply_to(path=own_token)
class OwnToken:
    def get(self, case, context):
        token = new_grant()["access_token"]
        own_tokens.add(token)
        return token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.auth().apply_to(path=oauth)
class ClientSecret:
    def get(self, case, context):
        return b64encode(f"{client_id}:{client_secret}".encode()).decode()

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Basic {data}"


@schemathesis.auth().skip_for(path=[*own_token, *oauth])
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
    replace_ids(case)
    replace_query(case)
    if "Idempotency-Key" in case.headers and case.meta is not None and not case.meta.is_negative_at(ParameterLocation.HEADER):
        case.headers["Idempotency-Key"] = str(uuid4())
    replace_body(case)
    authorization = case.headers.get("Authorization")
    if case.path == "/me/stream" and authorization is not None:
        threading.Timer(0.3, end_session, [authorization]).start()


def replace_ids(case):
    is_linked = case.meta is not None and case.meta.phase.name.value == "stateful"
    made = None
    for name, make in ids.items():
        given = case.path_parameters.get(name)
        if given is None:
            continue
        if given in untouchable or (not is_linked and may_be_replaced(case, ParameterLocation.PATH, given)):
            made = made or ids_for(case)
            case.path_parameters[name] = made[name] if name in made else make()


def ids_for(case):
    """The ids that belong together, or to the token of the call; empty where any will do."""
    if case.path in ids_of_path:
        return ids_of_path[case.path]()
    if case.path != "/me/sessions/{id}":
        return {}
    token = case.headers.get("Authorization", "").removeprefix("Bearer ")
    return {"id": session_of(token)} if token in own_tokens else {}


def replace_query(case):
    """A schema cannot say that a cursor is one which was given out, and which of two times is the later one."""
    if case.meta is None or case.meta.is_negative_at(ParameterLocation.QUERY):
        return
    if "from" in case.query and "to" in case.query:
        case.query["from"], case.query["to"] = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00+01:00"
    if "cursor" not in case.query:
        return
    # Those of a user's sessions are seen in his own.
    cursor = None if "{" in case.path else call("GET", f"{case.path}?limit=1", admin_token)["next_cursor"]
    if cursor is None:
        del case.query["cursor"]
    else:
        case.query["cursor"] = cursor


def replace_body(case):
    make_body = bodies.get(case.path)
    if case.path == "/events":
        replace_attributes(case)
    if make_body is None or case.meta is None or case.meta.is_negative_at(ParameterLocation.BODY):
        return
    if case.path == "/events":
        case.body = without_prototype_members(case.body)
    if is_binary_event(case):
        if any(one in json.dumps(case.body, default=str) for one in untouchable):
            case.body = {}
    elif not is_kept(case.body) or is_own_event(case) or any(one in json.dumps(case.body, default=str) for one in untouchable):
        case.body = make_body()
    elif case.path == "/events":
        case.body.pop("time", None)  # It lies in this century, and not in the future.
        case.body["id"] = str(uuid4())  # A source uses it for one event.
    elif case.path in oauth:
        authenticate_once(case)


def without_prototype_members(value):
    """They are refused at any depth, also in members that the schema leaves open, where it cannot say so."""
    if isinstance(value, dict):
        return {name: without_prototype_members(one) for name, one in value.items() if name != "__proto__"}
    return [without_prototype_members(one) for one in value] if isinstance(value, list) else value


def is_binary_event(case):
    return case.path == "/events" and case.media_type == "application/json"


def replace_attributes(case):
    """A schema cannot say that the ce- headers belong to one of two content types, and what they need of one another."""
    for name in [name for name in case.headers if name.lower().startswith("ce-")]:
        del case.headers[name]
    if is_binary_event(case):
        case.headers.update(new_attributes())


def is_own_event(case):
    """The tester takes the source of a receipt for that of an event, though the document rules ours out."""
    return case.path == "/events" and re.match(r"/quash(/|$)", case.body.get("source", ""), re.IGNORECASE) is not None


def authenticate_once(case):
    """A client says in one way who it is; an assertion that any tester makes up is not a good one."""
    case.body.pop("client_id", None)
    if case.body.get("client_assertion"):
        case.headers.pop("Authorization", None)


def may_be_replaced(case, location, given):
    return case.meta is not None and not case.meta.is_negative_at(location) and not is_kept(given)


UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_bad_link(case, failure):
    """The tester takes the id of whatever was answered or sent, such as an event's own, for the id that it looks for."""
    event_id = case.query.get("event_id") if case.query else None
    return failure.code == "ST202" and isinstance(event_id, str) and UUID.fullmatch(event_id) is None


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """JSON Schema counts a password's characters, the API its bytes: they differ outside ASCII."""
    if is_bad_link(case, failure):
        return False
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
