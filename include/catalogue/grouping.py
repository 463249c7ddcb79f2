"""Which SKUs are one product: a pure function of what is known of them, whatever the order in which it became known.

Barcodes are taken in the order in which stores showed them, then product keys in the order in which their SKUs were first seen. Each joins two
groups of SKUs, unless :func:`veto` has a reason against it: then the earlier one keeps the barcode, the later one stays apart.

Barcodes that stand beside one another in a line are one SKU's. One of them joins it to a product; another one that a second product has, while other SKUs show barcodes
of the first, joins nothing: the SKU stays with the barcode that it showed first (of those shown at once the smaller), and a person is asked whether the products are one.

A barcode that comes later than its SKU, when the product of its key has another one, is taken after the keys: the SKU stays in that product and the
barcode is contested. A SKU of another retailer that shows it too, whose text likely names the same good, confirms it: then the barcode counts
more than the key, and the SKU leaves.

What a person decided about a claim is a fact, too. An accepted claim is taken before all others and without veto: who else claims the barcode joins the SKU, or
meets the veto itself. A rejected one is not taken. A SKU that was split off joins nothing, unless a claim of its own is accepted; the decided barcode comes before its others.

So are decisions about pairs of SKUs (:mod:`include.catalogue.links`). Pairs that a person joined come before all barcodes, pairs that the matcher joined after all keys and
with the vetoes of keys. Pairs that a person keeps apart are a veto.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from include.catalogue.links import Link
from include.wording.same_good import Text, is_likely_same_good
from include.wording.size import Readings, sizes_conflict

#: A barcode on more goods of one retailer than this identifies none of them. In recorded store-days and lists of four retailers no two goods of a
#: retailer share one; a placeholder is on hundreds.
GOODS_PER_BARCODE_MAX = 3
#: Proposals for one SKU by its key.
_PROPOSALS_MAX = 5
#: Refusals that are no evidence for a proposal.
_NOT_PROPOSED = ("many_goods", "rejected", "split", "apart")

#: What a person may decide about a barcode that a retailer claims.
Choice = Literal["accept", "reject", "split"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A barcode that a retailer gives a SKU. ``together`` is the smallest barcode of those that its lines show beside one another.

    ``is_looked_up``: no line of a file shows it, or one that came later. ``decision`` is the one in force about it.
    """

    gtin: str
    together: str
    first_seen_at: datetime
    decision: Choice | None = None
    is_looked_up: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A SKU as far as its product depends on it: what its deciding text says, first seen at ``observed_at``, and its barcodes.

    ``product_keys`` and ``sizes`` are the readings of that text, the likeliest first.
    """

    sku_key: int
    retailer: str
    sku: str
    observed_at: datetime
    text: Text
    product_keys: tuple[str, ...] = ()
    sizes: Readings = ()
    own_label_of: str | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def is_split_off(self) -> bool:
        """A person decided that it is a product of its own."""
        return any(claim.decision == "split" for claim in self.claims)


@dataclass(frozen=True, slots=True)
class Placement:
    """The group of a SKU and what joined it: ``new`` (the first of its group), ``barcode``, ``key``, ``score`` or ``person``, with that barcode, key or decision."""

    sku_key: int
    group: int
    position: int
    joined_by: str
    evidence: str | None
    decision_id: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two SKUs whose products may be one, and why they were not joined."""

    sku_key: int
    other_sku_key: int
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """The outcome. ``refusals`` has every claim by (SKU key, barcode): the reason against it, None for an accepted one."""

    placements: list[Placement]
    refusals: dict[tuple[int, str], str | None]
    proposals: list[Proposal]


@dataclass(eq=False, slots=True)
class _Group:
    members: list[Member]
    retailers: set[str]
    labels: set[str]
    sizes: set[Readings]
    texts: dict[str, set[Text]]
    gtins: set[str] = field(default_factory=set)
    apart_from: set[int] = field(default_factory=set)
    is_split_off: bool = False

    @classmethod
    def of(cls, member: Member) -> _Group:
        sizes = {member.sizes} if member.sizes else set()
        labels = {member.own_label_of} if member.own_label_of else set()
        return cls([member], {member.retailer}, labels, sizes, {member.retailer: {member.text}}, is_split_off=member.is_split_off)

    def is_apart_from(self, other: _Group) -> bool:
        """Whether a person decided that a SKU here and one there are different products."""
        return any(member.sku_key in self.apart_from for member in other.members) if self.apart_from else False

    def absorb(self, other: _Group) -> None:
        self.members += other.members
        self.retailers |= other.retailers
        self.labels |= other.labels
        self.gtins |= other.gtins
        self.apart_from |= other.apart_from
        self.is_split_off |= other.is_split_off
        self.sizes |= other.sizes
        for retailer, texts in other.texts.items():
            self.texts.setdefault(retailer, set()).update(texts)


def veto(left: _Group, right: _Group) -> str | None:
    """Why two groups are never one product, whatever joins them: ``split``, ``apart``, ``own_label`` or ``size``."""
    if reason := _decided_veto(left, right):
        return reason
    if any(label != retailer for a, b in ((left, right), (right, left)) for label in a.labels for retailer in b.retailers):
        return "own_label"
    return "size" if any(sizes_conflict(mine, other) for mine in left.sizes for other in right.sizes) else None


def _decided_veto(left: _Group, right: _Group) -> str | None:
    if left.is_split_off or right.is_split_off:
        return "split"
    return "apart" if left.is_apart_from(right) else None


def group(members: Sequence[Member], links: Iterable[Link] = ()) -> Grouping:
    """Group SKUs into products.

    Args:
        members: whole neighbourhoods: each SKU with all that share a barcode, a product key or a joining link with it.
        links: the decisions in force about pairs of them.
    """
    return _Grouper(members, links).run()


class _Grouper:
    def __init__(self, members: Sequence[Member], links: Iterable[Link]) -> None:
        # a SKU that was split off comes last: it leaves its product to the others
        self.ranked = sorted(members, key=lambda m: (m.is_split_off, m.observed_at, m.retailer, m.sku))
        self.group_of = {member.sku_key: _Group.of(member) for member in members}
        self.with_key: dict[str, list[Member]] = defaultdict(list)
        self.with_gtin: dict[str, list[Member]] = defaultdict(list)
        for member in members:
            for key in member.product_keys:
                self.with_key[key].append(member)
            for claim in member.claims:
                if claim.decision != "reject":
                    self.with_gtin[claim.gtin].append(member)
        self.owner_of: dict[str, _Group] = {}
        self.accepted: dict[int, str] = {}
        self.late: list[tuple[Claim, Member]] = []
        self.refusals: dict[tuple[int, str], str | None] = {}
        self.proposals: list[Proposal] = []
        self.rank = {member.sku_key: position for position, member in enumerate(self.ranked)}
        self.links = [link for link in links if link.left_sku_key in self.group_of and link.right_sku_key in self.group_of]
        #: By SKU: the link that joined it, as the first of its group, to an earlier one.
        self.linked: dict[int, Link] = {}

    def run(self) -> Grouping:
        self._keep_apart("apart")
        self._join_by_person()
        self._join_by_barcode()
        self._join_by_key()
        self._take_late()
        self._keep_apart("undone")
        self._join_by_score()
        return Grouping(list(self._placements()), self.refusals, self.proposals)

    def _merge(self, left: _Group, right: _Group) -> _Group:
        if len(left.members) < len(right.members):
            left, right = right, left
        left.absorb(right)
        self.group_of.update((member.sku_key, left) for member in right.members)
        self.owner_of.update((gtin, left) for gtin in right.gtins)
        return left

    def _keep_apart(self, choice: str) -> None:
        for link in self.links:
            if link.choice == choice:
                self.group_of[link.left_sku_key].apart_from.add(link.right_sku_key)
                self.group_of[link.right_sku_key].apart_from.add(link.left_sku_key)

    def _join_by_person(self) -> None:
        found = [link for link in self.links if link.choice == "join" and link.score is None]
        for link in sorted(found, key=lambda link: (link.decision_id, *self._ranks(link))):
            left, right = self.group_of[link.left_sku_key], self.group_of[link.right_sku_key]
            if left is not right and _decided_veto(left, right) is None:
                self._link(left, right, link)

    def _join_by_score(self) -> None:
        found = [(link.score, link) for link in self.links if link.choice == "join" and link.score is not None]
        for _, link in sorted(found, key=lambda pair: (-pair[0], *self._ranks(pair[1]))):
            left, right = self.group_of[link.left_sku_key], self.group_of[link.right_sku_key]
            if left is right:
                continue
            if (reason := _text_veto(left, right, "score")) is None:
                self._link(left, right, link)
            elif _decided_veto(left, right) is None:
                self.proposals.append(Proposal(link.left_sku_key, link.right_sku_key, reason, str(link.decision_id)))

    def _ranks(self, link: Link) -> list[int]:
        return sorted((self.rank[link.left_sku_key], self.rank[link.right_sku_key]))

    def _link(self, left: _Group, right: _Group, link: Link) -> None:
        later = max(_first(left).sku_key, _first(right).sku_key, key=self.rank.__getitem__)
        self.linked[later] = link
        self._merge(left, right)

    def _join_by_barcode(self) -> None:
        claims = sorted(
            ((claim, member) for member in self.ranked for claim in member.claims),
            key=lambda pair: (_turn(*pair), pair[0].first_seen_at, pair[1].retailer, pair[1].sku, pair[0].gtin),
        )
        placeholders = _placeholders(claims)
        for claim, member in claims:
            if claim.gtin not in placeholders and self._is_late(member, claim):
                self.late.append((claim, member))
            else:
                self.refusals[member.sku_key, claim.gtin] = self._claim(member, claim, claim.gtin in placeholders)
        for claim, member in claims:
            self._review(member, claim)

    def _is_late(self, member: Member, claim: Claim) -> bool:
        """Whether its text had joined a SKU to a product with a barcode when this one came, which nothing confirms."""
        if not member.product_keys or member.sku_key in self.accepted or claim.decision is not None:
            return False
        if any(one.decision in ("accept", "split") for one in member.claims):
            return False
        if not claim.is_looked_up and claim.first_seen_at <= member.observed_at:
            return False
        if not any(self.group_of[peer.sku_key].gtins - {claim.gtin} for key in member.product_keys for peer in self.with_key[key]):
            return False
        return not any(
            other.retailer != member.retailer and is_likely_same_good(other.text, member.text) for other in self.with_gtin[claim.gtin]
        )

    def _take_late(self) -> None:
        for claim, member in self.late:
            gtins = self.group_of[member.sku_key].gtins
            has_other = bool(gtins) and claim.gtin not in gtins and member.sku_key not in self.accepted
            self.refusals[member.sku_key, claim.gtin] = "product_barcode" if has_other else self._claim(member, claim, False)
        for claim, member in self.late:
            self._review(member, claim)

    def _review(self, member: Member, claim: Claim) -> None:
        """Accept a refused barcode that the SKU's product has got all the same; propose the two products to a person otherwise."""
        reason, owner = self.refusals.get((member.sku_key, claim.gtin)), self.owner_of.get(claim.gtin)
        if reason is None or reason == "rejected" or owner is None:
            return
        if owner is self.group_of[member.sku_key]:
            self.refusals[member.sku_key, claim.gtin] = None
        elif reason not in _NOT_PROPOSED:
            self.proposals.append(Proposal(member.sku_key, _first(owner).sku_key, f"barcode_but_{reason}", claim.gtin))

    def _claim(self, member: Member, claim: Claim, is_placeholder: bool) -> str | None:
        mine, owner = self.group_of[member.sku_key], self.owner_of.get(claim.gtin)
        if claim.decision == "reject":
            return "rejected"
        if claim.decision != "accept":
            if is_placeholder:
                return "many_goods"
            if owner is not mine:
                if self.accepted.get(member.sku_key, claim.together) != claim.together:
                    return "other_barcode"
                if owner is not None and (reason := veto(mine, owner) or self._second_owner(member, mine)):
                    return reason
            self.accepted.setdefault(member.sku_key, claim.together)
        mine.gtins.add(claim.gtin)
        self.owner_of[claim.gtin] = mine if owner is None or owner is mine else self._merge(mine, owner)
        return None

    def _second_owner(self, member: Member, mine: _Group) -> str | None:
        """``two_products``, if a barcode of the SKU has joined it to SKUs that show one, too, and no person accepted another one of its barcodes."""
        if member.sku_key not in self.accepted or any(claim.decision == "accept" for claim in member.claims):
            return None
        others = ((other.sku_key, claim.gtin) for other in mine.members if other is not member for claim in other.claims)
        return "two_products" if any(self.refusals.get(other, "") is None for other in others) else None

    def _join_by_key(self) -> None:
        first_with: dict[str, list[int]] = defaultdict(list)  # a SKU of each group that has the key
        for member in self.ranked:
            if self.group_of[member.sku_key].is_split_off:
                continue
            self._join_to_known(member, first_with)
            for key in member.product_keys:
                if self.group_of[member.sku_key] not in (self.group_of[sku_key] for sku_key in first_with[key]):
                    first_with[key].append(member.sku_key)

    def _join_to_known(self, member: Member, first_with: Mapping[str, Sequence[int]]) -> None:
        mine = self.group_of[member.sku_key]
        found: dict[_Group, str] = {}
        for key in member.product_keys:
            for sku_key in first_with.get(key, ()):
                found.setdefault(self.group_of[sku_key], key)
        if mine not in found:
            others = [(other, key) for other, key in found.items() if self._may_mean(member, other, key)]
            reason = "key_hits_several" if len(others) > 1 else _text_veto(mine, others[0][0], "key") if others else None
            if reason is None and others:
                self._merge(mine, others[0][0])
            elif reason is not None:
                self.proposals += [Proposal(member.sku_key, _first(other).sku_key, reason, key) for other, key in others[:_PROPOSALS_MAX]]

    def _may_mean(self, member: Member, other: _Group, key: str) -> bool:
        """Whether an equal key says anything about a group: not across private labels, and an unlikely reading of the size only where sizes agree."""
        reason = veto(self.group_of[member.sku_key], other)
        return reason not in ("own_label", "apart") and (reason != "size" or key == member.product_keys[0])

    def _placements(self) -> Iterator[Placement]:
        numbers: dict[int, int] = {}
        holders = Counter((id(self.group_of[sku_key]), gtin) for (sku_key, gtin), reason in self.refusals.items() if reason is None)
        for position, member in enumerate(self.ranked):
            found = self.group_of[member.sku_key]
            if id(found) not in numbers:
                numbers[id(found)] = len(numbers)
                yield Placement(member.sku_key, numbers[id(found)], position, "new", None)
                continue
            if link := self.linked.get(member.sku_key):
                joined_by = "person" if link.score is None else "score"
                yield Placement(member.sku_key, numbers[id(found)], position, joined_by, str(link.decision_id), link.decision_id)
                continue
            shared = min(
                (c.gtin for c in member.claims if self.refusals[member.sku_key, c.gtin] is None and holders[id(found), c.gtin] > 1),
                default=None,
            )
            joined_by, evidence = ("key", _shared_key(member, found)) if shared is None else ("barcode", shared)
            yield Placement(member.sku_key, numbers[id(found)], position, joined_by, evidence)


def _turn(claim: Claim, member: Member) -> int:
    """The order in which claims are taken: accepted ones, the others, last the other barcodes of SKUs that were split off."""
    if claim.decision == "accept":
        return 0
    return 2 if member.is_split_off and claim.decision != "split" else 1


def _placeholders(claims: Sequence[tuple[Claim, Member]]) -> set[str]:
    goods: dict[tuple[str, str], set[str]] = defaultdict(set)
    for claim, member in claims:
        goods[claim.gtin, member.retailer].add(member.product_keys[0] if member.product_keys else member.sku)
    return {gtin for (gtin, _), keys in goods.items() if len(keys) > GOODS_PER_BARCODE_MAX}


def _shared_key(member: Member, found: _Group) -> str | None:
    """The likeliest key of a SKU that another one of its group has too; its likeliest, if none."""
    others = {key for other in found.members if other is not member for key in other.product_keys}
    return next((key for key in member.product_keys if key in others), member.product_keys[0] if member.product_keys else None)


def _text_veto(left: _Group, right: _Group, by: str) -> str | None:
    if left.gtins and right.gtins:
        return f"{by}_but_other_barcode"
    if reason := veto(left, right):
        return f"{by}_but_{reason}"
    if any(left.texts[retailer] != right.texts[retailer] for retailer in left.texts.keys() & right.texts.keys()):
        return "same_retailer_text"
    return None


def _first(found: _Group) -> Member:
    return min(found.members, key=lambda m: (m.observed_at, m.retailer, m.sku))
