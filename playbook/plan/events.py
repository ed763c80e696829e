"""Event and education calendar with its guest lists (规则 K17).

What is held in a month comes from the bank's programme in the policy, or from a list of planned
events. Who is invited follows persona × assets × need, within the seats, the yearly limit of the
tier and the client's consent to marketing; everybody else is listed with the reason why not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from playbook.policy import Policy
from playbook.policy.calendar import next_working_day

#: What became of a client on an event's list; words at ``plancard.invite.<code>``.
RESULTS = ("invited", "no_consent", "year_limit", "month_limit", "no_seat")
#: Why the client is on the list; words at ``plancard.match.<code>``.
MATCHES = ("need_persona", "need", "persona", "open")
COLUMNS = ("event_id", "code", "type", "title_zh", "title_en", "date", "seats", "invitations",
           "personas", "needs", "aum_from")  # fmt: skip


def programme(month: pd.Timestamp, policy: Policy) -> pd.DataFrame:
    """The events of the programme in ``month`` (its first day), by date and code.

    Columns :data:`COLUMNS`; ``invitations`` = seats × ``policy.events.invite_ratio``, rounded
    down; ``personas`` and ``needs`` are space-separated codes, empty for all.
    """
    month = pd.Timestamp(month)
    held = [(c, e) for c, e in policy.events.programme.items() if month.month in e.months]
    days = np.array([f"{month:%Y-%m}-{e.day:02d}" for _, e in held], dtype="datetime64[D]")
    frame = pd.DataFrame(
        {
            "event_id": [f"{month:%Y%m}-{code}"[:32] for code, _ in held],
            "code": [code for code, _ in held],
            "type": [e.type for _, e in held],
            "title_zh": [e.name.zh for _, e in held],
            "title_en": [e.name.en for _, e in held],
            "date": next_working_day(days).astype("datetime64[s]"),
            "seats": [e.seats for _, e in held],
            "personas": [" ".join(e.personas) for _, e in held],
            "needs": [" ".join(e.needs) for _, e in held],
            "aum_from": [e.aum_from for _, e in held],
        }
    )
    return _invitations(frame, policy)


def listed(events: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """A branch's own planned events (columns of the table ``events``) in the same form."""
    titles = events["title"].astype("str").fillna("")
    frame = pd.DataFrame(
        {
            "event_id": events["event_id"].astype("str"),
            "code": events["event_id"].astype("str"),
            "type": events["type"].astype("str"),
            "title_zh": titles,
            "title_en": titles,
            "date": events["date"],
            "seats": events["capacity"].fillna(policy.events.seats_default).astype("int64"),
            "personas": events["persona_target"].astype("str").fillna(""),
            "needs": events["need_tag"].astype("str").fillna(""),
            "aum_from": 0.0,
        }
    ).reset_index(drop=True)
    return _invitations(frame, policy)


def _invitations(frame: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    frame["invitations"] = np.floor(frame["seats"] * policy.events.invite_ratio).astype("int64")
    frame = frame.sort_values(["date", "code"], kind="stable")
    return frame[list(COLUMNS)].reset_index(drop=True)


def targets(
    events: pd.DataFrame, book, clients: pd.DataFrame, policy: Policy | None = None
) -> pd.DataFrame:
    """Who fits each event, and who is invited: one row per event and fitting client in scope.

    ``events`` from :func:`programme` or :func:`listed`; ``clients`` the table of step 1. Columns:
    ``event_id``, ``date``, ``client_id``, ``adviser_id``, ``household_id``, ``match``,
    ``channel`` (the invitation's, empty without consent), ``n_invited`` in the year before,
    ``limit`` a year, ``rank`` on the event's list (1 first, 0 for those not in the running),
    ``result`` (:data:`RESULTS`). The nearest match comes first, then closeness, assets, client id.
    An event with few candidates chooses before one with many.

    Consent is the client's on record at the book's day for marketing on that channel; without a
    table of consents nobody is invited.
    """
    policy = book.policy if policy is None else policy
    people = _people(book, clients, policy)
    year = people["n_invited"].to_numpy() < people["limit"].to_numpy()
    able = year & people["channel"].notna().to_numpy()
    lists = {
        event.event_id: _fitting(people, event) for event in events.itertuples(index=False)
    }
    order = sorted(lists, key=lambda key: (int(able[lists[key].index].sum()), key))
    seats = events.set_index("event_id")["invitations"]
    asked = np.zeros(len(people), dtype=np.int64)
    room = np.where(able, np.minimum(people["limit"] - people["n_invited"],
                                     policy.events.per_client_month), 0)  # fmt: skip
    parts = []
    for key in order:  # a handful of events in a month
        part = lists[key]
        at = part.index.to_numpy()
        free = asked[at] < room[at]
        rank = np.where(free, np.cumsum(free), 0)
        inside = free & (rank <= int(seats[key]))
        asked[at[inside]] += 1
        result = np.select(
            [part["channel"].isna(), ~year[at], ~free, inside],
            ["no_consent", "year_limit", "month_limit", "invited"], "no_seat",
        )  # fmt: skip
        parts.append(part.assign(event_id=key, rank=rank, result=result))
    names = ["event_id", "date", "client_id", "adviser_id", "household_id", "match", "channel",
             "n_invited", "limit", "rank", "result"]  # fmt: skip
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in names})
    frame = pd.concat(parts).merge(events[["event_id", "date"]], on="event_id", how="left")
    frame["result"] = pd.Categorical(frame["result"], categories=list(RESULTS))
    frame["match"] = pd.Categorical(frame["match"], categories=list(MATCHES))
    return frame.sort_values(["date", "event_id", "result", "rank", "client_id"], kind="stable")[
        names
    ].reset_index(drop=True)


def _fitting(people: pd.DataFrame, event) -> pd.DataFrame:
    """Clients whom the event is for, the nearest match first."""
    personas, needs = event.personas.split(), event.needs.split()
    persona = people["persona"].isin(personas).to_numpy()
    need = people["need"].isin(needs).to_numpy()
    level = np.select([persona & need, need, persona], [0, 1, 2], 3)
    fits = (level < 3) if (personas or needs) else np.ones(len(people), dtype=bool)
    # Where a persona is named, a need alone is no reason to sit among strangers to one's life.
    fits &= persona if personas else True
    fits &= people["aum_avg"].to_numpy() >= event.aum_from
    part = people[fits].assign(match=np.array(MATCHES)[level[fits]], level=level[fits])
    return part.sort_values(
        ["level", "familiarity_points", "aum_avg", "client_id"],
        ascending=[True, False, False, True], kind="stable",
    )  # fmt: skip


def _people(book, clients: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Clients in scope with their need, channel of invitation and invitations in the past year."""
    people = clients[clients["in_scope"].to_numpy(bool)].reset_index(drop=True)
    ids = pd.Index(people["client_id"])
    facts = book.table("needs")
    goal = facts[facts["field"] == "goal"].drop_duplicates("client_id").set_index("client_id")
    people["need"] = goal["value"].reindex(ids).to_numpy()
    people["persona"] = people["persona"].astype("str")
    people["channel"] = _channel(book, people, policy)
    past = book.table("event_attendance").merge(
        book.table("events")[["event_id", "date"]], on="event_id"
    )
    since = pd.Timestamp(book.as_of) - pd.DateOffset(months=policy.events.look_back_months)
    past = past[past["invited"].fillna(False).to_numpy(bool) & (past["date"] > since)]
    people["n_invited"] = past.groupby("client_id").size().reindex(ids, fill_value=0).to_numpy()
    people["limit"] = people["tier"].astype("str").map(
        {code: part.event_invites_per_year for code, part in policy.standards.items()}
    ).to_numpy("int64")  # fmt: skip
    return people


def _channel(book, people: pd.DataFrame, policy: Policy) -> np.ndarray:
    """The client's preferred channel where it has consent, else the first of the policy's."""
    given = book.table("consents")
    given = given[(given["purpose"] == "marketing") & given["withdrawn_on"].isna()]
    pairs = pd.MultiIndex.from_arrays([given["client_id"], given["channel"].astype("str")])
    ids, prefers = people["client_id"], people["pref_channel"].astype("str")
    chosen = np.full(len(people), None, dtype=object)
    wanted = [prefers, *[pd.Series(c, index=people.index) for c in policy.events.channels]]
    for channel in wanted:  # the preference, then a handful of channels in the policy's order
        ok = pd.MultiIndex.from_arrays([ids, channel]).isin(pairs)
        ok &= channel.isin(policy.events.channels).to_numpy()
        chosen = np.where(pd.isna(chosen) & ok, channel.to_numpy(object), chosen)
    return pd.array(chosen, dtype="str")
