"""What a configuration file says, by the programs that it is for: a JSON object of keys to [type, text].

The keys are named as Unum names them. Usage: judge.py KIND FILE, once a line on standard input; a line of JSON comes back.
"""

import configparser
import json
import os
import re
import subprocess
import sys
import tempfile


def part(name):
    return "".join("_" if c.isspace() else c for c in str(name).strip())


def join(prefix, name):
    return f"{prefix}.{part(name)}" if prefix else part(name)


def flat(prefix, value, out):
    if isinstance(value, dict):
        for key, inner in value.items():
            flat(join(prefix, key), inner, out)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            flat(f"{prefix}[{number}]", inner, out)
    else:
        out[prefix] = [type(value).__name__, "" if value is None else str(value)]
    return out


def toml(path):
    import tomllib

    with open(path, "rb") as file:
        return flat("", tomllib.load(file), {})


def yaml(path):
    import yaml as pyyaml

    with open(path, "rb") as file:
        documents = list(pyyaml.safe_load_all(file))
    if len(documents) == 1:
        return flat("", documents[0], {})
    out = {}
    for number, document in enumerate(documents):
        flat(f"[{number}]", document, out)
    return out


def ini(path, quotes=True):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), default_section="\0")
    parser.optionxform = str
    with open(path, encoding="utf-8-sig") as file:
        parser.read_string("[\1]\n" + file.read())
    out = {}
    for section in parser.sections():
        for key, value in parser.items(section):
            if quotes and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            out[join("" if section == "\1" else part(section), key)] = ["str", value]
    return out


def systemd(path):
    return ini(path, quotes=False)


def mysql(path):
    with open(path, "rb") as file:
        groups = re.findall(rb"^\s*\[([^\]]*)\]", file.read(), re.M)
    out = {}
    for group in dict.fromkeys(group.decode("latin-1").strip() for group in groups):
        run = subprocess.run(["my_print_defaults", f"--defaults-file={path}", group], capture_output=True)
        if run.returncode:
            raise ValueError(run.stderr.decode())
        # A value may have line breaks: what is no option goes on.
        for line in re.split(rb"\n(?=--)", run.stdout.rstrip(b"\n")):
            if line:
                name, _, value = line[2:].partition(b"=")
                out[join(group, name.decode())] = ["str", value.decode("utf-8", "replace")]
    return out


def postgresql(path):
    socket = os.environ["UNUM_JUDGE_POSTGRES"]
    data = os.environ["UNUM_JUDGE_POSTGRES_DATA"]
    with open(path, "rb") as source, open(os.path.join(data, "postgresql.conf"), "wb") as target:
        target.write(source.read())
    sql = "SELECT json_agg(json_build_array(name, setting, error) ORDER BY seqno) FROM pg_file_settings"
    run = subprocess.run(
        ["psql", "-h", socket, "-U", "postgres", "-d", "postgres", "-Atc", sql], capture_output=True, text=True
    )
    if run.returncode:
        raise ValueError(run.stderr)
    out = {}
    for name, setting, error in json.loads(run.stdout or "[]") or []:
        if error and "syntax error" in error:
            raise ValueError(error)
        if name is not None and setting is not None:
            out[name.lower()] = ["str", setting]
    return out


def ssh(path):
    # Only what it says by itself: `sshd -T` adds what it does not say.
    run = subprocess.run(["/usr/sbin/sshd", "-T", "-f", path], capture_output=True, text=True)
    if run.returncode:
        raise ValueError(run.stderr)
    out = {}
    for line in run.stdout.splitlines():
        name, _, value = line.partition(" ")
        # Where it listens follows from its port.
        if name != "listenaddress":
            earlier = out.get(name.lower())
            out[name.lower()] = ["str", f"{earlier[1]} {value}" if earlier else value]
    return out


def redis(path):
    with tempfile.TemporaryDirectory() as directory:
        socket = os.path.join(directory, "redis.sock")
        # Behind the file, so that it starts anywhere and says nothing of its own.
        own = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--daemonize", "no", "--logfile", "", "--pidfile", ""]
        server = subprocess.Popen(
            ["redis-server", path, *own, "--supervised", "no"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            ask = ["redis-cli", "-s", socket, "-3", "--json", "CONFIG", "GET", "*"]
            while True:
                run = subprocess.run(ask, capture_output=True)
                if run.returncode == 0 and run.stdout.startswith(b"{"):
                    break
                if server.poll() is not None:
                    raise ValueError(server.stdout.read().decode("utf-8", "replace")[-500:])
            said = json.loads(run.stdout.decode("utf-8", "surrogateescape"))
        finally:
            server.kill()
            server.wait()
    return {key: ["str", value] for key, value in said.items() if key not in ("port", "unixsocket", "dir", "pidfile", "logfile")}


def nginx(path):
    import crossplane

    parsed = crossplane.parse(path, single=True, check_ctx=False, check_args=False)
    if parsed["errors"]:
        raise ValueError(parsed["errors"])
    out = {}

    def walk(prefix, block):
        counts = {}
        for item in block:
            counts[item["directive"]] = counts.get(item["directive"], 0) + 1
        taken = {}
        for item in block:
            name = item["directive"]
            number = taken.get(name, 0)
            taken[name] = number + 1
            path = join(prefix, name)
            if counts[name] > 1:
                path = f"{path}[{number}]"
            if "block" in item:
                walk(path, item["block"])
            else:
                # It leaves escapes that nginx reads (`ngx_conf_read_token`).
                plain = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
                args = [re.sub(r"\\([\\nrt])", lambda found: plain[found[1]], arg) for arg in item["args"]]
                out[path] = ["str", json.dumps(args)]

    walk("", parsed["config"][0]["parsed"])
    return out


KINDS = {
    "toml": toml,
    "yaml": yaml,
    "ini": ini,
    "systemd": systemd,
    "mysql": mysql,
    "postgresql": postgresql,
    "redis": redis,
    "ssh": ssh,
    "nginx": nginx,
}


for request in sys.stdin:
    kind, path = request.rstrip("\n").split(" ", 1)
    try:
        answer = {"said": KINDS[kind](path)}
    except Exception as error:  # What it refuses is an answer, too.
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
