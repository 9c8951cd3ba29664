#!/usr/bin/env python3
"""Launches runs until it is told to stop, and notes each id only after the 2xx has arrived.

    load.py URL TOKEN_FILE NOTES CLIENTS     until SIGTERM
    load.py URL TOKEN_FILE NOTES --check     is every noted run there? Prints how many are lost

Answers other than 2xx and broken connections are waited out: what they were about may be in the log
or not. What was noted must be.
"""

import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.parse
import uuid

BODY = json.dumps({"directive": {"name": "load", "tasks": ["log_triage"]}})
stopping = threading.Event()


def connect(url):
    return http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)


def ask(connection, method, path, token, body=None, key=None):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def launch_for_ever(url, token, notes, lock):
    connection = connect(url)
    while not stopping.is_set():
        try:
            status, body = ask(
                connection, "POST", "/api/runs/launch", token, BODY, str(uuid.uuid4())
            )
        except (OSError, http.client.HTTPException):
            connection.close()
            connection = connect(url)
            time.sleep(0.05)
            continue
        if status // 100 != 2:
            time.sleep(0.05)
            continue
        with lock:
            notes.write(json.loads(body)["id"] + "\n")
            notes.flush()
            os.fsync(notes.fileno())


def check(url, token, path):
    connection = connect(url)
    lost = []
    count = 0
    with open(path, encoding="ascii") as notes:
        for line in notes:
            count += 1
            status, _ = ask(connection, "GET", "/api/runs/" + line.strip(), token)
            if status != 200:
                lost.append(line.strip())
    print(json.dumps({"noted": count, "lost": len(lost), "first_lost": lost[:3]}))
    return 1 if lost else 0


def main():
    url, token_file, path, what = sys.argv[1:5]
    with open(token_file, encoding="ascii") as file:
        token = file.read().strip()
    if what == "--check":
        return check(url, token, path)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    lock = threading.Lock()
    with open(path, "a", encoding="ascii") as notes:
        clients = [
            threading.Thread(target=launch_for_ever, args=(url, token, notes, lock))
            for _ in range(int(what))
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
