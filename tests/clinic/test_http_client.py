"""Requests to addresses from clients never reach the private network."""

import socket
from threading import Thread

import pytest

from clinic import http_client
from tests.receiver import receiving


@pytest.fixture(autouse=True)
def nobody_is_trusted(settings):
    settings.OUTGOING_ALLOWED_HOSTS = []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://db.localhost/hook",
        "https://10.0.0.1/hook",
        "https://172.16.0.1/hook",
        "https://192.168.1.1:8443/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/hook",
        "https://0.0.0.0/hook",
        "https://224.0.0.1/hook",
        "https://[::1]/hook",
        "https://[fd00::1]/hook",
        "https://[fe80::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[2002:a00:1::]/hook",
        "http://subscriber.example.org/hook",
        "https://user:secret@subscriber.example.org/hook",
        "ftp://subscriber.example.org/hook",
        "https:///hook",
        "https://[::1/hook",
        "https://subscriber.example.org:port/hook",
        "",
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url):
    with pytest.raises(http_client.NotAllowed):
        http_client.check_url(url)
    with pytest.raises(http_client.NotAllowed):
        http_client.request("POST", url)


@pytest.mark.parametrize("url", ["https://subscriber.example.org/hook", "https://8.8.8.8:8443/hook?a=b"])
def test_a_public_address_is_fine(url):
    http_client.check_url(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1"])
def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(address, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(http_client.NotAllowed):
        http_client.request("POST", "https://rebinding.example.org/hook")


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1"])
def test_other_ways_to_write_an_address_are_seen_through(host):
    with pytest.raises(http_client.NotAllowed):
        http_client.request("POST", f"https://{host}/hook")


def test_a_host_that_the_operator_trusts_may_be_private_and_without_tls(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        receiver.answers = [202]
        assert http_client.request("POST", receiver.url, content=b"{}").status == 202
        assert receiver.next().body == b"{}"


@pytest.mark.parametrize("kept_open", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_slow_response_ends_at_the_deadline(kept_open, settings, monkeypatch):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(http_client, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def dawdle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(kept_open)
                connection.recv(65536)
                connection.recv(65536)

        thread = Thread(target=dawdle)
        thread.start()
        with pytest.raises(http_client.Unreachable, match="No answer came in time"):
            http_client.request("POST", f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_an_answer_is_read_up_to_a_length(settings, monkeypatch):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(http_client, "MOST_BYTES", 10)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"a" * 100)

        thread = Thread(target=talk)
        thread.start()
        with pytest.raises(http_client.Unreachable, match="longer than 10 bytes"):
            http_client.request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", reads=True)
        thread.join()
