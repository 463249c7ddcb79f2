"""The refusal pages of the retailers' bot walls: HTML, also for JSON routes."""

from __future__ import annotations

from sandbox import seeded_random
from sandbox.site import opaque

_SCRIPT = (
    '<html>\n<head>\n<META NAME="robots" CONTENT="noindex,nofollow">\n'
    '<script src="/_Incapsula_Resource?SWJIYLWA={token}">\n</script>\n<body>\n</body></html>\n'
)
SCRIPT_BYTES = 212

_INTERSTITIAL = (
    '<!DOCTYPE html><html lang="en"><head><title>Pardon Our Interruption</title><meta name="robots" content="noindex, nofollow">'
    '<script src="/_Incapsula_Resource?SWJIYLWA={token}" async></script></head><body><h1>Pardon Our Interruption...</h1>'
    "<p>As you were browsing something about your browser made us think you were a bot.</p>"
    '<iframe src="/_Incapsula_Resource?CWUDNSAI=9&amp;xinfo={token}"></iframe>'
    "<p>Request unsuccessful. Incapsula incident ID: {number}</p></body></html>\n"
)
_DENIED = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \n"
    'You don\'t have permission to access "http&#58;&#47;&#47;{host}&#47;" on this server.<P>\n'
    "Reference&#32;&#35;18&#46;{token}\n<P>\nhttps&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;{token}\n</P>\n</BODY>\n</HTML>\n"
)
_PLAIN = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
)
_HOSTS = {"woolworths": "www&#46;woolworths&#46;com&#46;au", "aldi": "api&#46;aldi&#46;com&#46;au"}


def denied(retailer: str, about: str) -> str:
    """Return Akamai's page, about 400 bytes."""
    return _DENIED.format(host=_HOSTS.get(retailer, "localhost"), token=opaque("reference", about))


def refusal(retailer: str, about: str, form: str | None = None, status: int | None = None) -> tuple[str, int]:
    """Return a refusal page and its status.

    Coles (Imperva) refuses with status 200 or 403 and an interstitial page, or one of 212 bytes that only loads a
    script: without ``form`` and ``status`` all four combinations occur, by request. Woolworths and Aldi (Akamai) refuse with
    403. No bot wall of IGA is on record; it gets a plain 403.
    """
    if retailer == "coles":
        chance = seeded_random.random_int("wall", about)
        page = _script(about) if (form or ("script", "page")[chance % 2]) == "script" else _interstitial(about)
        return page, status or (200, 403)[chance // 2 % 2]
    return (_PLAIN if retailer == "iga" else denied(retailer, about)), status or 403


def _script(about: str) -> str:
    token = ""
    while len(token) < SCRIPT_BYTES:
        token += opaque("incapsula", about, len(token))
    return _SCRIPT.format(token=token[: SCRIPT_BYTES - len(_SCRIPT.format(token=""))])


def _interstitial(about: str) -> str:
    return _INTERSTITIAL.format(
        token=opaque("incapsula", about),
        number=f"{seeded_random.random_int('incident', about):020d}-{seeded_random.random_int('wall', about):019d}",
    )
