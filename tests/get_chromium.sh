#!/bin/sh
# Installs Debian's chromium and its driver where that is possible, and says so where it is not.
present() { command -v chromium >/dev/null && command -v chromedriver >/dev/null; }
install() { apt-get install -y -qq --no-install-recommends chromium chromium-driver; }
present && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install >/dev/null 2>&1 || { apt-get update -qq && install; } >/dev/null 2>&1
fi
present || echo "No browser is here (apt install chromium chromium-driver): its tests are skipped."
