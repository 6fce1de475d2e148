"""A real SLURM of one node on the loopback address, for tests: no systemd, no cgroups, fake GPUs.

By hand: `python tests/slurm_cluster.py DIR` starts it, prints what to export, stops it on Ctrl-C.
Everything that it writes is below DIR. Debian: `apt-get install slurm-wlm munge`.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
SBIN = "/usr/sbin"
SECONDS = 200.0  # that a test waits for what happens at once on a machine without other load

CONFIG = """\
ClusterName=test
# the address in brackets and the two No...InAddrAny keep the daemons on 127.0.0.1
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={port}
SlurmdPort={port1}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# cred_expire is also how long a requeued job waits; 5 s is the least, and too few under load
AuthInfo=socket={folder}/run/munge.socket,cred_expire=10
MessageTimeout=20
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=2
JobRequeue=1
KillWait=5
MinJobAge=600
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/slurmd
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} \\
Gres=gpu:{gpus}
PartitionName=DEFAULT Nodes=localhost MaxTime=INFINITE DefMemPerCPU={per_cpu} State=UP
PartitionName=debug Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high PriorityTier=10 PreemptMode=OFF
"""


def missing_programs() -> list[str]:
    """What would have to be installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def _path() -> str:
    return f"{os.environ['PATH']}:{SBIN}"


needs_slurm = pytest.mark.skipif(
    bool(missing_programs()), reason=f"SLURM is not installed: no {', '.join(missing_programs())}"
)


@dataclass
class SlurmCluster:
    """One controller, one node, the partitions "debug" and "high" (which evicts and requeues).

    Attributes:
        folder: no blanks in it; munge wants its parents readable.
        cpus, gpus: what the node claims to have.
        port: of the controller; the node takes the next one.
    """

    folder: Path
    cpus: int = 4
    gpus: int = 2
    port: int = 0
    daemons: list[subprocess.Popen] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """For every command that talks to this cluster. No `sacct` answers, as on many clusters."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def start(self) -> None:
        """Start the daemons and wait until a job has run."""
        for name in ("run", "log", "ctld", "slurmd", "dev"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.port = self.port or _free_port()
        self._configure()
        socket_path, key = self.folder / "run/munge.socket", self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        self._spawn(
            *("munged", "--foreground", f"--socket={socket_path}", f"--key-file={key}"),
            *(f"--pid-file={self.folder}/run/munged.pid", f"--seed-file={self.folder}/munge.seed"),
            f"--log-file={self.folder}/log/munged-own.log",
        )
        self._wait_for("munge", "-S", str(socket_path), "-n")
        self._spawn("slurmctld", "-D")
        self._wait_for("scontrol", "ping")
        self._spawn("slurmd", "-D")
        self._wait_for("srun", "--partition=debug", "--chdir=/", "true")

    def stop(self) -> None:
        """End all jobs, then the daemons."""
        with suppress(subprocess.TimeoutExpired):  # a controller that is dead
            self.cancel_all()
            deadline = time.monotonic() + 15
            while self.run("squeue", "-h").stdout.strip() and time.monotonic() < deadline:
                time.sleep(0.2)
        for daemon in reversed(self.daemons):
            os.killpg(daemon.pid, signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()
        self.daemons.clear()

    def queue(self) -> list[str]:
        """A line for each job that waits or runs, once the controller answers."""
        deadline = time.monotonic() + SECONDS
        while (done := self.run("squeue", "-hr")).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.2)
        return done.stdout.splitlines()

    def cancel_all(self) -> None:
        """Take all jobs out of the queue."""
        self.run("scancel", f"--user={self._user}")

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """A SLURM command, its output as text."""
        environment = os.environ | self.environment
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout
        )

    @property
    def _user(self) -> str:
        return subprocess.check_output(["id", "-un"], text=True).strip()

    def _configure(self) -> None:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        values = {
            "host": socket.gethostname().partition(".")[0],
            "port": self.port,
            "port1": self.port + 1,
            "user": self._user,
            "folder": self.folder,
            "cpus": self.cpus,
            "gpus": self.gpus,
            "memory": total,
            "per_cpu": total // self.cpus,
        }
        (self.folder / "slurm.conf").write_text(CONFIG.format(**values))
        for index in range(self.gpus):  # slurmd wants a device for each, and takes a link to one
            (self.folder / f"dev/gpu{index}").symlink_to("/dev/null")
        devices = f"{self.folder}/dev/gpu[0-{self.gpus - 1}]"
        (self.folder / "gres.conf").write_text(
            f"AutoDetect=off\nNodeName=localhost Name=gpu File={devices}\n"
        )

    def _spawn(self, name: str, *words: str) -> None:
        log = open(self.folder / "log" / f"{name}.log", "ab")  # noqa: SIM115 - the daemon's own
        with log:
            daemon = subprocess.Popen(
                [name, *words],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.daemons.append(daemon)

    def _wait_for(self, *command: str, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.run(*command).returncode == 0:
                    return
            except subprocess.TimeoutExpired:
                pass
            time.sleep(0.2)
        logs = [f"{log}: {log.read_text()[-800:]}" for log in (self.folder / "log").glob("*")]
        self.stop()
        raise RuntimeError(
            f"{' '.join(command)} did not succeed in {seconds:.0f} s\n" + "\n".join(logs)
        )


def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def _free_port() -> int:
    """Of two neighbours that nobody listens on, and that no outgoing connection is given."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000, 2)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def main() -> None:
    """Run until interrupted."""
    cluster = SlurmCluster(Path(sys.argv[1]).resolve())
    cluster.start()
    for name, value in cluster.environment.items():
        print(f"export {name}={value}", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        cluster.stop()


if __name__ == "__main__":
    main()
