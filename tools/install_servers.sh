#!/usr/bin/env bash
# Install Dovecot, Postfix, PostgreSQL, Knot, Unbound and Chromium for the tests that start them, and systemd-analyze for
# the test of the units, without starting any service of the system.
# Where that is not possible the tests are skipped; with CI=true a missing server is a failure.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
saved=$policy.before-bounce-watch
packages="dovecot-imapd dovecot-lmtpd postfix postgresql systemd chromium knot unbound"
PATH=$PATH:/usr/sbin:/usr/local/sbin

have_servers() {
    command -v dovecot && command -v postfix || return 1
    for rooms in /usr/lib/dovecot /usr/libexec/dovecot; do
        if [ -x "$rooms/imap" ] && [ -x "$rooms/lmtp" ]; then return 0; fi
    done
    return 1
}
have_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
have_database() {
    command -v initdb && return 0
    for folder in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /usr/pgsql-*/bin; do
        if [ -x "$folder/initdb" ]; then return 0; fi
    done
    return 1
}
have_names() { command -v knotd && command -v unbound; }
have_all() { have_servers && have_database && have_names && command -v systemd-analyze && have_browser; }

have_not() {
    echo "Dovecot, Postfix, PostgreSQL, Knot, Unbound, Chromium or systemd-analyze is missing ($1): the tests that need it will be skipped." >&2
    [ "${CI:-}" = true ] && exit 1
    exit 0
}

restore_policy() {
    rm -f "$policy"
    if [ -e "$saved" ]; then mv "$saved" "$policy"; fi
}

# Exit status 101 of policy-rc.d forbids the packages to start a service (invoke-rc.d(8)).
forbid_services() {
    if [ -e "$policy" ]; then mv "$policy" "$saved"; fi
    trap restore_policy EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
}

have_all >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null 2>&1 || have_not "no apt-get here"
[ "$(id -u)" -eq 0 ] || have_not "installing needs root: apt-get install $packages"

echo "installing for the tests: $packages" >&2
forbid_services
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update || have_not "apt-get update failed"
# shellcheck disable=SC2086 # a list of names
apt-get -qq install --yes --no-install-recommends $packages >/dev/null || have_not "apt-get install failed"
have_all >/dev/null 2>&1 || have_not "installed, yet not found"
