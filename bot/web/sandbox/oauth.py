"""The pretend OAuth v4: the page where an administrator approves, and the endpoint that hands out tokens."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode, urlsplit

import flask

from bot.web.sandbox import faults, tokens
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.sandbox import Sandbox, current
from bot.web.sandbox.settings import SandboxAccount

pages = flask.Blueprint("oauth", __name__)


class OAuthError(Exception):
    """A refusal of the OAuth service, whose numbers are its own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@pages.get("/v4/oa/permission")
def ask() -> tuple[str, int] | str:
    """Show the administrator what the app wants."""
    try:
        accounts = _asked_for(flask.request.args)
    except OAuthError as error:
        return flask.render_template("sandbox/permission.html", error=error, accounts=[], asked={}), 400
    _let_the_form_lead_to(flask.request.args["redirect_uri"])
    return flask.render_template("sandbox/permission.html", error=None, accounts=accounts, asked=flask.request.args)


@pages.post("/v4/oa/permission")
def decide() -> flask.typing.ResponseReturnValue:
    """Send the administrator back with a code, or stay here when they refuse."""
    asked = flask.request.form
    try:
        accounts = _asked_for(asked)
    except OAuthError as error:
        return flask.render_template("sandbox/permission.html", error=error, accounts=[], asked={}), 400
    chosen = next((account for account in accounts if account.oa_id == asked.get("oa_id")), None)
    if asked.get("decision") != "approve" or chosen is None:
        return flask.render_template("sandbox/permission.html", error=None, accounts=[], asked={})
    with current().store.writing(quietly=True) as db:
        code = tokens.authorise(db, chosen.oa_id, asked.get("code_challenge", ""))
    answer = {"code": code, "oa_id": chosen.oa_id}
    if asked.get("state"):
        answer["state"] = asked["state"]
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return flask.redirect(f"{asked['redirect_uri']}{joint}{urlencode(answer)}", 302)


@pages.post("/v4/oa/access_token")
def exchange() -> flask.Response:
    """Trade a code or a refresh token for a pair of tokens; refusals come with HTTP 200."""
    box, form = current(), flask.request.form
    try:
        accounts = _authenticated_app(box, form.get("app_id", ""))
        fault = faults.take(box.store, _account_concerned(box, accounts).oa_id, "token")
        if fault and (refused := faults.refusal(fault)):
            return refused
        grant = _grant(box, {account.oa_id for account in accounts})
    except OAuthError as error:
        return as_json(_refusal(error))
    pair = {"access_token": grant.access_token, "refresh_token": grant.refresh_token, "expires_in": grant.expires_in}
    return faults.spoil(fault, as_json(pair)) if fault else as_json(pair)


def _asked_for(asked: dict[str, str]) -> list[SandboxAccount]:
    accounts = current().settings.accounts_of(asked.get("app_id", ""))
    if not accounts:
        raise OAuthError(-14002, "Invalid app id")
    redirect_uri = asked.get("redirect_uri", "")
    target = urlsplit(redirect_uri)
    registered = {account.redirect_uri for account in accounts if account.redirect_uri}
    if target.scheme not in {"http", "https"} or not target.netloc or (registered and redirect_uri not in registered):
        raise OAuthError(-14003, "Invalid redirect uri")
    return accounts


def _let_the_form_lead_to(redirect_uri: str) -> None:
    # Browsers apply form-action to the redirect that follows a form, so the callback has to be named.
    target = urlsplit(redirect_uri)
    flask.g.form_action = f"'self' {target.scheme}://{target.netloc.partition(';')[0].split()[0]}"


def _authenticated_app(box: Sandbox, app_id: str) -> list[SandboxAccount]:
    accounts = box.settings.accounts_of(app_id)
    if not accounts:
        raise OAuthError(-14002, "Invalid app id")
    secret = flask.request.headers.get("secret_key", "")
    if not hmac.compare_digest(secret.encode(), accounts[0].app_secret.encode()):
        raise OAuthError(-14004, "Invalid secret key")
    return accounts


def _account_concerned(box: Sandbox, accounts: list[SandboxAccount]) -> SandboxAccount:
    form = flask.request.form
    with box.store.reading() as db:
        oa_id = tokens.oa_of(db, form.get("refresh_token", ""), form.get("code", ""))
    return box.settings.account(oa_id) or accounts[0]


def _grant(box: Sandbox, oa_ids: set[str]) -> tokens.Grant:
    form = flask.request.form
    kind = form.get("grant_type")
    with box.store.writing(quietly=True) as db:
        if kind == "refresh_token":
            grant = tokens.refresh(db, box.settings, form.get("refresh_token", ""), oa_ids)
            refused = OAuthError(-14014, "Invalid refresh token")
        elif kind == "authorization_code":
            grant = tokens.redeem(db, box.settings, form.get("code", ""), form.get("code_verifier", ""), oa_ids)
            refused = OAuthError(-118, "Invalid grant")
        else:
            raise OAuthError(-118, "Invalid grant type")
    if grant is None:
        raise refused
    return grant


def _refusal(error: OAuthError) -> dict[str, object]:
    return {
        "error_name": error.reason,
        "error_reason": error.reason,
        "ref_doc": "https://developers.zalo.me/docs",
        "error_description": error.reason,
        "error": error.code,
    }
