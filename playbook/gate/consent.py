"""同意与打扰: may this client be approached this way at this time (CONS-, PURP-, TIME-, COMP-)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from playbook.gate.decision import DENY, WARN, Finding, found
from playbook.gate.rows import Log, Rows, pick
from playbook.policy import calendar
from playbook.tables import CHANNELS

_DAY = "datetime64[D]"
_NAT = np.datetime64("NaT", "D")
#: Channels without a consent of their own: what is said there is about every channel.
FACE_TO_FACE = ("visit", "branch", "event")
_LAST = np.datetime64("9999-12-31", "D")


class Refusals:
    """Opt-outs and consents on record, asked for each row's client, channel and day.

    An opt-out is a marketing consent withdrawn, or a contact that ended in an opt-out: for the
    channel it was said on, face to face for every channel, or always for every channel where the
    policy's ``consent.opt_out`` says ``all``. Said in a service contact or a greeting it is a
    refusal of greetings too. A consent counts only when it is newer than the last opt-out.
    """

    def __init__(self, rows: Rows) -> None:
        consents = rows.book["consents"]
        self.rows = rows
        self.table = consents
        self.owner = rows.owners(consents["client_id"])
        self.granted = consents["granted_on"].to_numpy().astype(_DAY)
        self.withdrawn = consents["withdrawn_on"].to_numpy().astype(_DAY)
        # The contact in which a client opts out was not yet one against the refusal.
        own = np.zeros(rows.n, dtype=bool)
        if rows.has("outcome"):
            own = (rows.done & (rows.frame["outcome"] == "opt_out")).to_numpy(bool)
        self.day = rows.day_or_zero - own.astype("timedelta64[D]")
        contacts = rows.book["contacts"]
        self.said = contacts[contacts["outcome"] == "opt_out"]
        self.said_owner = rows.owners(self.said["client_id"])
        self.said_on = self.said["at"].to_numpy().astype(_DAY)

    def told(self, channels, *, greetings: bool = False) -> np.ndarray:
        """Day of the last opt-out spoken before the row's moment that is about ``channels``."""
        about = self.said["channel"].isin([*channels, *FACE_TO_FACE])
        if self.rows.policy.gate.consent.opt_out == "all":
            about |= True
        if greetings:
            about &= self.said["purpose"] != "marketing"
        mine = about.to_numpy(bool)
        log = Log(self.said_owner[mine], self.said["at"][mine])
        before = self.rows.at_or_end - np.timedelta64(1, "s")
        return pick(self.said_on[mine], log.last(self.rows.client, before), _NAT)

    def withdrawal(self, channels, purpose: str) -> np.ndarray:
        """Day of the last withdrawal on one of ``channels`` up to the row's day, NaT for none."""
        mine = self._of(channels, purpose)
        log = Log(self.owner[mine], self.withdrawn[mine])
        return pick(self.withdrawn[mine], log.last(self.rows.client, self.day), _NAT)

    def consent(self, channels, purpose: str) -> tuple[np.ndarray, np.ndarray]:
        """Day of the last consent on one of ``channels``, and whether it still stands."""
        mine = self._of(channels, purpose)
        log = Log(self.owner[mine], self.granted[mine])
        place = log.last(self.rows.client, self.day)
        until = np.where(np.isnat(self.withdrawn), _LAST, self.withdrawn)[mine]
        stands = (place >= 0) & (pick(until, place, _NAT) > self.day)
        return pick(self.granted[mine], place, _NAT), stands

    def _of(self, channels, purpose: str) -> np.ndarray:
        return (
            self.table["channel"].isin(list(channels)) & (self.table["purpose"] == purpose)
        ).to_numpy(bool)


def approach(rows: Rows, decision) -> Iterator[Finding]:
    """Findings about consent, refusal, greetings and service notices, in order of precedence."""
    refusals = Refusals(rows)
    rules = rows.policy.gate.consent
    asks = rows.flags("asks_consent")
    granted = np.full(rows.n, _NAT)
    stands, refused = np.zeros(rows.n, dtype=bool), np.full(rows.n, _NAT)
    needs = np.ones(rows.n, dtype=bool)
    for at, channel in enumerate(CHANNELS):
        sources = rules.channels.get(channel, (channel,))
        here = rows.channel == at
        if not here.any():
            continue
        needs[here] = len(sources) > 0
        # Each channel on its own: a withdrawal on one does not undo the consent on another.
        for source in sources:
            day, good = refusals.consent([source], "marketing")
            gone = refusals.withdrawal([source], "marketing")
            better = here & good & ~(gone >= day) & ~(granted >= day)
            granted[better], stands[better] = day[better], True
            refused = np.where(here, np.fmax(refused, gone), refused)
        told = refusals.told([channel, *sources])
        stands &= ~(here & (told >= granted))
        refused = np.where(here, np.fmax(refused, told), refused)
    asked = rows.marketing & ~asks
    again = refused + np.timedelta64(rules.ask_again_days, "D")
    yield found("CONS-02", asked & ~stands & ~np.isnat(refused), DENY, "opted_out", on=refused)
    soon = asks & ~stands & (again > rows.day_or_zero)
    yield found("CONS-02", soon, DENY, "asked_again", on=refused, until=again)
    if rows.book.has("consents"):
        yield found("CONS-01", asked & needs & ~stands, DENY, "no_consent")
    else:
        yield found("CONS-01", asked & needs, DENY, "no_consent_table")
    yield from _personalised(rows, refusals)
    yield from _greeting(rows, refusals)
    pitch = rows.names_product | rows.flags("proposal") | rows.shows_product
    yield found("PURP-01", rows.service & pitch, DENY, "pitch_in_service")
    months = pd.DateOffset(months=rules.stale_months)
    stale = (pd.DatetimeIndex(rows.day_or_zero) - months).to_numpy().astype(_DAY)
    yield found("CONS-04", asked & stands & (granted <= stale), WARN, "consent_old", on=granted)
    yield from _complaints(rows, decision)


def _personalised(rows: Rows, refusals: Refusals) -> Iterator[Finding]:
    automated = rows.flags("automated") & rows.marketing
    if not automated.any():
        return
    channels = list(refusals.table["channel"].dtype.categories)
    _, stands = refusals.consent(channels, "profiling")
    gone = refusals.withdrawal(channels, "profiling")
    declined = automated & ~np.isnat(gone) & ~stands
    yield found("CONS-03", declined, DENY, "no_profiling", on=gone)


def _greeting(rows: Rows, refusals: Refusals) -> Iterator[Finding]:
    carries = rows.filled("content_id") | rows.touches_product
    yield found("CONS-05", rows.care & carries, DENY, "greeting_with_product")
    refused = np.full(rows.n, _NAT)
    for at, channel in enumerate(CHANNELS):
        here = rows.care & (rows.channel == at)
        if not here.any():
            continue
        granted, stands = refusals.consent([channel], "service")
        last = np.fmax(
            refusals.withdrawal([channel], "service"), refusals.told([channel], greetings=True)
        )
        refused = np.where(here & ~(stands & (granted > last)), last, refused)
    yield found("CONS-05", rows.care & ~np.isnat(refused), DENY, "greeting_refused", on=refused)


def _complaints(rows: Rows, decision) -> Iterator[Finding]:
    cases = rows.book["complaints"]
    owner = rows.owners(cases["client_id"])
    received = cases["received_on"].to_numpy().astype(_DAY)
    closed = cases["closed_on"].to_numpy().astype(_DAY)
    until = np.where(np.isnat(closed), _LAST, closed)
    # Open on a day: more cases received up to it than closed up to it.
    opened, shut = Log(owner, received), Log(owner, until)
    start, tomorrow = np.datetime64("1900-01-01"), rows.day_or_zero + np.timedelta64(1, "D")
    n = opened.count(rows.client, start, tomorrow) - shut.count(rows.client, start, tomorrow)
    yield found("COMP-03", rows.marketing & (n > 0), WARN, "complaint_open", n=n)
    if not rows.book.has("complaints"):
        decision.leave_open("COMP-03", rows.marketing)
    case = rows.match("object_id", cases["complaint_id"])
    accused = pick(cases["against_adviser_id"].to_numpy(dtype=object, na_value=None), case, None)
    own = np.zeros(rows.n, dtype=bool)
    if rows.has("adviser_id"):
        adviser = rows.frame["adviser_id"].to_numpy(dtype=object, na_value=None)
        mine = np.flatnonzero(case >= 0)
        own[mine] = [
            a is not None and a == b for a, b in zip(accused[mine], adviser[mine], strict=True)
        ]
    yield found("COMP-02", own, DENY, "own_complaint")


def hours(rows: Rows) -> Iterator[Finding]:
    """TIME-01: calls outside the calling hours, on Sundays and on public holidays.

    A row that has only a due date has no day yet and is not judged: whoever places it asks again.
    """
    rules = rows.policy.gate.quiet
    called = rows.on_channels(rules.channels) & rows.placed & rows.known_day
    if rules.rest_days:
        rest = _resting(rows.day_or_zero)
        yield found("TIME-01", called & rest, DENY, "rest_day", on=rows.day)
    timed = called & ~np.isnat(rows.at)
    start = rows.at.astype(_DAY).astype("datetime64[s]")
    hour = (rows.at - start) / np.timedelta64(1, "h")
    inside = np.zeros(rows.n, dtype=bool)
    for span in rules.spans.values():
        inside |= (hour >= span.start) & (hour < span.end)
    yield found("TIME-01", timed & ~inside, DENY, "outside_hours", n=hour)


def _resting(days: np.ndarray) -> np.ndarray:
    """Sundays and public holidays; a make-up working day is neither."""
    seen, place = np.unique(days, return_inverse=True)
    one = np.timedelta64(1, "D")
    works, week = calendar.is_working_day(seen), _weekday(seen)
    # A Saturday is an ordinary one unless it touches a day off: then it belongs to the holiday.
    touched = ~calendar.is_working_day(seen - one) | ~calendar.is_working_day(seen + 2 * one)
    rest = ~works & np.where(week == _SATURDAY, touched, True)
    return rest[place]


_SATURDAY = 5


def _weekday(days: np.ndarray) -> np.ndarray:
    # 1970-01-01 was a Thursday.
    return (days.astype(_DAY).astype(np.int64) + 3) % 7
