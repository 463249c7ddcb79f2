"""What lines say about one SKU, merged into what is known of it: the text that decides, its barcodes, and whether the number was reused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from include.catalogue.grouping import Claim
from include.wording.same_good import Text, may_be_same_good

#: The source of what a line of a staged file says.
FILE = "file"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a barcode was seen: the source :data:`FILE` with the staged file, or the source of a look-up."""

    source: str
    file_id: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Pieces:
    """Pieces in a pack, worked out from price and price per piece of a line of that instant that is not on special; of several the earliest counts."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """Equal lines of one SKU, or one look-up of it: text, barcodes, and the first and the last instant. ``origin`` is one that shows them, ``pieces`` what their prices say."""

    text: Text
    gtins: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    origin: Origin
    pieces: Pieces | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a SKU.

    ``text`` decides its product: the fullest, then the earliest. ``newest`` is what the retailer calls it now. ``former_until_at`` is the last
    instant at which the number was another good's. ``claims`` and ``origins`` are by barcode. ``pieces`` are those of the earliest line that fixes them.
    """

    text: Text
    observed_at: datetime
    newest: Text
    newest_at: datetime
    former_until_at: datetime | None = None
    claims: dict[str, Claim] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    is_reused: bool = False
    pieces: Pieces | None = None

    @property
    def piece_count(self) -> int | None:
        """The pieces in a pack; None where no price fixes them."""
        return self.pieces.count if self.pieces else None


def absorb(known: Known | None, sightings: Iterable[Sighting]) -> Known:
    """Merge sightings into what is known, in order of time; the outcome is the same in whatever order and batches they arrive.

    With one exception: a number that comes back to a former good, with lines from both sides of the interruption that arrive before those of it. What
    they showed may then be missing until it is seen again.

    A look-up only adds barcodes, and only where its text fits; of a SKU it is never the first thing known.

    A line whose text fits neither the newest nor the deciding text, and that shows none of the SKU's barcodes, is about another good. If it is newer, the
    number was reused and everything known of the former good is forgotten here; if it is older, it is about a former good itself.
    """
    for sighting in sorted(sightings, key=lambda s: (s.last_at, _content(s.text), s.gtins)):
        known = _begin(sighting) if known is None else _merge(known, sighting)
    assert known is not None, "a SKU without sightings"
    return known


def _begin(sighting: Sighting) -> Known:
    begun = Known(sighting.text, sighting.first_at, sighting.text, sighting.last_at, pieces=sighting.pieces)
    return _with_barcodes(begun, sighting)


def _merge(known: Known, sighting: Sighting) -> Known:
    if known.former_until_at is not None and sighting.last_at <= known.former_until_at:
        return known
    is_newer = (sighting.last_at, _content(sighting.text)) > (known.newest_at, _content(known.newest))
    if sighting.origin.source != FILE:  # asked for this SKU: says which barcode it has, never what the store calls it or which good it is
        return _with_barcodes(known, sighting) if _fits(known, sighting) else known
    if not _fits(known, sighting):
        if is_newer:
            return replace(_begin(sighting), former_until_at=known.newest_at, is_reused=True)
        return _without_former(known, max(sighting.last_at, known.former_until_at or sighting.last_at))
    if is_newer:
        known = replace(known, newest=sighting.text, newest_at=sighting.last_at)
    known = replace(known, pieces=min((pieces for pieces in (known.pieces, sighting.pieces) if pieces), default=None))
    if _rank(sighting.text, sighting.first_at) < _rank(known.text, known.observed_at):
        known = replace(known, text=sighting.text, observed_at=sighting.first_at)
    return _with_barcodes(known, sighting)


def _without_former(known: Known, former_until_at: datetime) -> Known:
    """Forget what was seen up to an instant at which the number was another good's; what still holds is seen again."""
    claims = {gtin: claim for gtin, claim in known.claims.items() if claim.first_seen_at > former_until_at}
    known = replace(known, former_until_at=former_until_at, claims=claims, origins={gtin: known.origins[gtin] for gtin in claims})
    if known.pieces and known.pieces.at <= former_until_at:
        known = replace(known, pieces=None)
    return known if known.observed_at > former_until_at else replace(known, text=known.newest, observed_at=known.newest_at)


def _fits(known: Known, sighting: Sighting) -> bool:
    return (
        not known.claims.keys().isdisjoint(sighting.gtins)
        or may_be_same_good(sighting.text, known.newest)
        or may_be_same_good(sighting.text, known.text)
    )


def _with_barcodes(known: Known, sighting: Sighting) -> Known:
    if not sighting.gtins:
        return known
    claims, origins = dict(known.claims), dict(known.origins)
    for gtin in sighting.gtins:
        if gtin not in claims or sighting.first_at < claims[gtin].first_seen_at:
            claims[gtin] = Claim(gtin, claims[gtin].together if gtin in claims else gtin, sighting.first_at)
            origins[gtin] = sighting.origin
    labels = {claims[gtin].together for gtin in sighting.gtins}
    together = min(labels)
    for gtin, claim in claims.items():
        if claim.together in labels and claim.together != together:
            claims[gtin] = replace(claim, together=together)
    return replace(known, claims=claims, origins=origins)


def _content(text: Text) -> tuple[str, str, str]:
    return text[0], text[1] or "", text[2] or ""


def _rank(text: Text, at: datetime) -> tuple[int, datetime, tuple[str, str, str]]:
    return (not text[1]) + (not text[2]), at, _content(text)
