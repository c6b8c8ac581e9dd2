"""A status overlay in front of moto's RDS.

moto finishes every change at once and gives every instance the same DbiResourceId. This proxy passes every request on and rewrites the
answers of DescribeDBInstances and DescribeDBSnapshots so that they show what RDS shows on the way: statuses that walk, a resource id that
is unique and survives a rename, and the blindness after a rename. State, wire format and errors stay moto's: even a refusal that the
overlay causes is fetched from moto. What it does not mend is listed in README.md.

    rds_overlay.py --port 5556 --upstream 127.0.0.1:5555

Control: GET /_overlay/ready, /_overlay/settings, /_overlay/calls; POST /_overlay/settings {"creating": 3, ...}, /_overlay/reset,
/_overlay/touch {"region", "snapshot" | "instance", "walk": ["creating", ...]}, /_overlay/created {"region", "snapshot", "time"}.
"""

import argparse
import http.client
import http.server
import json
import re
import secrets
import threading
import time
import urllib.parse

# How long each stage lasts: in looks (describes that concern the thing), or in seconds when unit says so.
DEFAULTS = {
    "unit": "looks", "creating": 2, "backing-up": 1, "modifying": 1, "rebooting": 1, "deleting": 1,
    "old-name": 2, "blind": 2, "renaming": 1, "snapshot-creating": 2,
}
CALLS_KEPT = 10_000
BODY_LIMIT = 4 << 20
INSTANCE = re.compile(r"<DBInstance>.*?</DBInstance>", re.S)
SNAPSHOT = re.compile(r"<DBSnapshot>.*?</DBSnapshot>", re.S)


def field(fragment, name):
    found = re.search(f"<{name}>([^<]*)</{name}>", fragment)
    return found.group(1) if found else ""


def with_field(fragment, name, value):
    return re.sub(f"<{name}>[^<]*</{name}>", lambda _: f"<{name}>{value}</{name}>", fragment, count=1)


def without(fragment, name):
    return re.sub(f"<{name}>.*?</{name}>", "", fragment, count=1, flags=re.S)


def renamed(fragment, name):
    """The instance as it was called before: identifier, ARN and host all hold the name."""
    fragment = with_field(fragment, "DBInstanceIdentifier", name)
    fragment = re.sub(r"(<DBInstanceArn>[^<]*:db:)[^<]*", lambda m: m.group(1) + name, fragment, count=1)
    return re.sub(r"(<Endpoint>\s*<Address>)[^.<]*", lambda m: m.group(1) + name, fragment, count=1)


class Walk:
    """Stages that something goes through, each for some looks or seconds."""

    def __init__(self, stages, settings):
        self.stages = [(stage, settings[key]) for stage, key in stages if settings[key] > 0]
        self.seconds, self.since, self.looks = settings["unit"] == "seconds", time.monotonic(), 0

    def now(self):
        spent = time.monotonic() - self.since if self.seconds else self.looks
        for stage, length in self.stages:
            if spent < length:
                return stage
            spent -= length
        return None

    def look(self):
        stage = self.now()
        self.looks += 1
        return stage


class Overlay:
    """What moto does not know. Keys are (region, lower-case name)."""

    def __init__(self):
        self.lock = threading.RLock()
        self.settings = dict(DEFAULTS)
        self.clear()

    def clear(self):
        self.ids, self.walks, self.old_names, self.ghosts = {}, {}, {}, {}
        self.snapshots, self.created, self.calls = {}, {}, []

    def resource_id(self, key):
        return self.ids.setdefault(key, "db-" + secrets.token_hex(13).upper())

    def walk(self, key, *stages):
        self.walks[key] = Walk([(s, s) if isinstance(s, str) else s for s in stages], self.settings)

    def after_write(self, region, action, params, answer):
        """A write that moto answered well starts a walk."""
        key = (region, params.get("DBInstanceIdentifier", "").lower())
        fragment = (INSTANCE.search(answer) or [""])[0]
        if action in ("CreateDBInstance", "RestoreDBInstanceFromDBSnapshot"):
            self.ids.pop(key, None)
            backs_up = field(fragment, "BackupRetentionPeriod") not in ("", "0")
            self.walk(key, "creating", *(["backing-up"] if backs_up else []))
        elif action == "ModifyDBInstance" and params.get("NewDBInstanceIdentifier"):
            new = (region, params["NewDBInstanceIdentifier"].lower())
            if new != key:
                self.ids[new] = self.resource_id(key)
                del self.ids[key]
                self.walks.pop(key, None)
                self.old_names[new] = params["DBInstanceIdentifier"]
                self.walk(new, "old-name", "blind", "renaming")
        elif action in ("ModifyDBInstance", "RebootDBInstance"):
            self.walk(key, "modifying" if action == "ModifyDBInstance" else "rebooting")
        elif action == "DeleteDBInstance":
            ghost = with_field(fragment, "DbiResourceId", self.resource_id(key))
            self.ghosts[key] = (Walk([("deleting", "deleting")], self.settings), ghost)
            self.ids.pop(key, None)
            self.walks.pop(key, None)
        elif action == "CreateDBSnapshot":
            name = (region, params.get("DBSnapshotIdentifier", "").lower())
            self.snapshots[name] = Walk([("creating", "snapshot-creating")], self.settings)

    def shown(self, region, fragment):
        """An instance as RDS would show it now; nothing while it is blind to it. This is a look."""
        key = (region, field(fragment, "DBInstanceIdentifier").lower())
        fragment = with_field(fragment, "DbiResourceId", self.resource_id(key))
        stage = self.walks[key].look() if key in self.walks else None
        if stage == "blind":
            return ""
        if stage == "old-name":
            return renamed(fragment, self.old_names[key])
        if stage == "creating":
            fragment = without(without(fragment, "Endpoint"), "InstanceCreateTime")
        return with_field(fragment, "DBInstanceStatus", stage) if stage else fragment

    def shown_snapshot(self, region, fragment):
        key = (region, field(fragment, "DBSnapshotIdentifier").lower())
        if key in self.created:
            fragment = with_field(fragment, "SnapshotCreateTime", self.created[key])
        walk, percent = self.snapshots.get(key), 100
        if walk and walk.look():
            fragment, percent = without(with_field(fragment, "Status", "creating"), "SnapshotCreateTime"), min(99, 10 * walk.looks)
        # moto leaves it out.
        return without(fragment, "PercentProgress").replace("</DBSnapshot>", f"<PercentProgress>{percent}</PercentProgress></DBSnapshot>")

    def ghost(self, region, name):
        """An instance that is being deleted, which moto has forgotten already. This is a look."""
        walk, fragment = self.ghosts.get((region, name.lower()), (None, ""))
        return with_field(fragment, "DBInstanceStatus", "deleting") if walk and walk.look() else ""


def framed(answer, fragments):
    """moto's list answer with other instances in it."""
    inner = "<DBInstances>" + "".join(fragments) + "</DBInstances>"
    return re.sub(r"<DBInstances>.*</DBInstances>|<DBInstances ?/>", lambda _: inner, answer, count=1, flags=re.S)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    overlay, upstream = Overlay(), "127.0.0.1:5000"

    def do_any(self):
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_LIMIT:
            return self.answer(413, {}, b"")
        body = self.rfile.read(length)
        if self.path.startswith("/_overlay/"):
            return self.control(json.loads(body or b"{}"))
        params = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace")))
        scope = re.search(r"Credential=[^/]*/[^/]*/([^/]*)/rds/", self.headers.get("authorization", ""))
        if not scope or "Action" not in params:
            return self.answer(*self.moto(body))
        region, action = scope.group(1), params["Action"]
        with self.overlay.lock:
            if action == "DescribeDBInstances":
                return self.answer(*self.instances(region, params))
            status, headers, answer = self.moto(body)
            if action == "DescribeDBSnapshots":
                text = SNAPSHOT.sub(lambda m: self.overlay.shown_snapshot(region, m[0]), answer.decode())
                return self.answer(status, headers, text.encode())
            if not action.startswith(("Describe", "List")):
                self.overlay.calls = self.overlay.calls[-CALLS_KEPT:] + [{"region": region, "action": action, "status": status, "params": params}]
                if status == 200:
                    self.overlay.after_write(region, action, params, answer.decode())
            return self.answer(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_any

    def instances(self, region, params):
        """DescribeDBInstances: by name, by resource id, or all."""
        overlay, name, wanted_id = self.overlay, params.get("DBInstanceIdentifier"), self.wanted_id(params)
        if wanted_id:
            name = next((n for (r, n), i in overlay.ids.items() if r == region and i == wanted_id), None)
            ghost = next((n for (r, n), (_, f) in overlay.ghosts.items() if r == region and wanted_id in f), "")
            status, headers, answer = self.ask(params, name)
            shown = [overlay.shown(region, m) for m in INSTANCE.findall(answer)] if name else [overlay.ghost(region, ghost)]
            return status, headers, framed(answer, shown).encode()
        if name is None:
            status, headers, answer = self.ask(params, None)
            shown = [overlay.shown(region, m) for m in INSTANCE.findall(answer)]
            ghosts = [overlay.ghost(region, n) for r, n in list(overlay.ghosts) if r == region] if not params.get("Marker") else []
            return status, headers, framed(answer, shown + ghosts).encode()
        # Whoever is still seen under that name although moto calls it otherwise already.
        was = [new for new, old in overlay.old_names.items() if new[0] == region and old.lower() == name.lower()]
        for new in was:
            if overlay.walks.get(new) and overlay.walks[new].now() in ("old-name", "blind"):
                status, headers, answer = self.ask(params, new[1])
                shown = [overlay.shown(region, m) for m in INSTANCE.findall(answer)]
                return (status, headers, framed(answer, shown).encode()) if any(shown) else self.hidden(params, name)
        status, headers, answer = self.ask(params, name)
        if status == 404 and (ghost := overlay.ghost(region, name)):
            status, headers, answer = self.ask(params, None)
            return status, headers, framed(answer, [ghost]).encode()
        if overlay.walks.get((region, name.lower())) and overlay.walks[(region, name.lower())].now() in ("old-name", "blind"):
            overlay.walks[(region, name.lower())].look()
            return self.hidden(params, name)
        return status, headers, INSTANCE.sub(lambda m: overlay.shown(region, m[0]), answer).encode()

    @staticmethod
    def wanted_id(params):
        for key, value in params.items():
            if value == "dbi-resource-id" and key.endswith(".Name"):
                values = [v for k, v in sorted(params.items()) if k.startswith(key[: -len("Name")] + "Values.")]
                return values[0] if values else None
        return None

    def hidden(self, params, name):
        """moto's own "not found", for a name that it does know."""
        stand_in = "overlay-" + secrets.token_hex(8)
        status, headers, answer = self.ask(params, stand_in)
        return status, headers, answer.replace(stand_in, name).encode()

    def ask(self, params, name):
        """DescribeDBInstances of moto, by name or all; a filter by resource id, of which it has but one, is not passed on."""
        dropped = "Filters." if self.wanted_id(params) else "DBInstanceIdentifier"
        asked = {k: v for k, v in params.items() if not k.startswith(dropped) and k != "DBInstanceIdentifier"}
        if name:
            asked = {k: v for k, v in asked.items() if k not in ("MaxRecords", "Marker")} | {"DBInstanceIdentifier": name}
        status, headers, answer = self.moto(urllib.parse.urlencode(asked).encode())
        return status, headers, answer.decode()

    def moto(self, body):
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
            connection.request(self.command, self.path, body, {**headers, "Host": self.headers.get("host", self.upstream)})
            response = connection.getresponse()
            kept = {k: v for k, v in response.getheaders() if k.lower() in ("content-type", "x-amzn-requestid")}
            return response.status, kept, response.read()
        finally:
            connection.close()

    def control(self, given):
        overlay, what = self.overlay, self.path.removeprefix("/_overlay/")
        with overlay.lock:
            key = (given.get("region"), (given.get("snapshot") or given.get("instance") or "").lower())
            if what == "settings" and self.command == "POST":
                overlay.settings.update({k: v for k, v in given.items() if k in DEFAULTS})
            elif what == "reset":
                overlay.clear()
                overlay.settings = dict(DEFAULTS)
                self.path = "/moto-api/reset"
                return self.answer(*self.moto(b""))
            elif what == "touch":
                walks = overlay.snapshots if "snapshot" in given else overlay.walks
                stages = [(s, "snapshot-creating" if "snapshot" in given else s) for s in given.get("walk", ["creating"])]
                walks[key] = Walk(stages, overlay.settings)
            elif what == "created":
                overlay.created[key] = given["time"]
            elif what not in ("ready", "settings", "calls"):
                return self.answer(404, {}, b"")
            said = overlay.calls if what == "calls" else overlay.settings
            return self.answer(200, {"content-type": "application/json"}, json.dumps(said).encode())

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    arguments = argparse.ArgumentParser(description="status overlay in front of moto's RDS")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--upstream", required=True, help="moto's HOST:PORT")
    given = arguments.parse_args()
    Handler.upstream = given.upstream
    server = http.server.ThreadingHTTPServer((given.host, given.port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
