"""Certificates are always verified, and one that changes is looked at again with each new connection."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from include import clock
from include.config import Settings
from include.crawling.client import PoliteClient
from include.retailers.base import Page
from include.retailers.errors import RedirectRefused, SiteUnavailable
from tests.crawling.fake_site import Hillview
from tests.hostile.server import HostileServer, whole

PAGE = Page(path="/list", headers={"x-api-key": "secret"})


class Authority:
    """An authority of the test's own, and the certificates it signs."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._numbers = iter(range(100))
        certificate = self._signed(self._name, self._key.public_key(), timedelta(days=3_650), is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta, host: str = "127.0.0.1", *, is_authority: bool = False
    ) -> x509.Certificate:
        until = clock.system_now() + lasts  # the system's clock: TLS knows no other
        names = [x509.IPAddress(ipaddress.ip_address(host))] if host[0].isdigit() else [x509.DNSName(host)]
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), until - timedelta(days=3_700), until)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(self._key, hashes.SHA256())

    def context(self, lasts: timedelta = timedelta(days=9), host: str = "127.0.0.1") -> ssl.SSLContext:
        """Return a server's context with a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(x509.Name([]), key.public_key(), lasts, host)
        file = self._folder / f"server-{next(self._numbers)}.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "known")


@pytest.fixture
def connect(tmp_path: Path, known: Authority, monkeypatch: pytest.MonkeyPatch) -> Callable[[HostileServer], PoliteClient]:
    def client(server: HostileServer) -> PoliteClient:
        monkeypatch.setattr(Hillview, "base_url", server.url, raising=False)
        found = PoliteClient(Hillview(), Settings(home=tmp_path, request_attempts=3, backoff_seconds_max=0.001))
        found._http.verify = str(known.file)
        return found

    return client


Connect = Callable[[HostileServer], PoliteClient]


def test_a_trusted_certificate(known: Authority, connect: Connect) -> None:
    with (
        HostileServer(lambda connection, asked: connection.sendall(whole(b"{}")), tls=known.context()) as server,
        connect(server) as client,
    ):
        assert client.fetch(PAGE)[1] == {}


@pytest.mark.parametrize("wrong", ["expired", "another host", "unknown authority"])
def test_a_wrong_certificate_gets_no_request_and_no_retry(tmp_path: Path, known: Authority, connect: Connect, wrong: str) -> None:
    context = {
        "expired": lambda: known.context(lasts=-timedelta(days=1)),
        "another host": lambda: known.context(host="shop.example.org"),
        "unknown authority": lambda: Authority(tmp_path, "unknown").context(),
    }[wrong]()
    with HostileServer(lambda connection, asked: connection.sendall(whole(b"{}")), tls=context) as server, connect(server) as client:
        with pytest.raises(SiteUnavailable, match=r"no trusted connection to .*CERTIFICATE_VERIFY_FAILED.*nothing was sent"):
            client.fetch(PAGE)

        assert not server.asked
        assert server.connections == 1


def test_a_certificate_that_changes(tmp_path: Path, known: Authority, connect: Connect) -> None:
    with (
        HostileServer(lambda connection, asked: connection.sendall(whole(b"{}")), tls=known.context()) as server,
        connect(server) as client,
    ):
        client.fetch(PAGE)
        server.tls = known.context()
        client.fetch(PAGE)
        server.tls = Authority(tmp_path, "unknown").context()
        with pytest.raises(SiteUnavailable):
            client.fetch(PAGE)

        assert len(server.asked) == 2


def test_a_redirect_out_of_tls_is_not_followed(known: Authority, connect: Connect) -> None:
    def send(connection: object, asked: object) -> None:
        connection.sendall(whole(b"", "302 Found", Location=server.url.replace("https", "http")))  # type: ignore[attr-defined]

    with HostileServer(send, tls=known.context()) as server, connect(server) as client, pytest.raises(RedirectRefused):
        client.fetch(PAGE)


def test_no_setting_turns_verification_off() -> None:
    assert not [name for name in Settings.model_fields if "verify" in name or "tls" in name or "ssl" in name]
