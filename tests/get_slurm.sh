#!/bin/sh
# Installs Debian's SLURM where that is possible, and says so where it is not. No service is started:
# the tests start their own on the loopback address (tests/slurm_cluster.py).
have() { command -v munged >/dev/null && command -v slurmctld >/dev/null && command -v sbatch >/dev/null; }
PATH="$PATH:/usr/sbin"
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then # the packages would start daemons of their own
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    fi
    install="apt-get install -y -qq --no-install-recommends slurm-wlm munge"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    $install >/dev/null 2>&1 || { apt-get update -qq && $install; } >/dev/null 2>&1
fi
have || echo "SLURM is not here (apt install slurm-wlm munge): its tests are skipped."
