"""Download Debian packages with apt's own client, in a private state folder.

Nothing of the system is read or changed but its list of mirrors and the archive's public keys, and
no root is needed: apt runs on an empty package database of its own, so it resolves and fetches
everything that RELION needs, and checks the archive's signatures as it always does.
"""
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import List, Optional, Sequence

MIRROR_VAR = 'RELIONSTA_DEBIAN_MIRROR'
KEYRING = Path('/usr/share/keyrings/debian-archive-keyring.gpg')

INSTEAD = 'Set RELION_HOME to the folder of a RELION 5 that is installed on this machine'


class RuntimeInstallError(Exception):
    """Something private cannot be installed; the message says why and what to set."""


def check_machine() -> None:
    """Raise RuntimeInstallError if Debian's packages cannot be fetched and used on this machine."""
    if platform.system() != 'Linux' or platform.machine() != 'x86_64':
        raise RuntimeInstallError("Debian's packages for x86_64 cannot run here (this machine is %s %s). %s."
                                  % (platform.system(), platform.machine(), INSTEAD))
    missing = [name for name in ('apt-get', 'dpkg-deb') if shutil.which(name) is None]
    if missing:
        raise RuntimeInstallError("What is missing is fetched with Debian's tools, and %s is not on this "
                                  "machine. %s." % (' and '.join(missing), INSTEAD))


def find_mirror() -> str:
    """The Debian mirror to use: $RELIONSTA_DEBIAN_MIRROR, else the one that this machine's apt uses."""
    given = os.environ.get(MIRROR_VAR)
    if given:
        return given.rstrip('/')
    listing = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(REPO_URI) $(ORIGIN) $(COMPONENT) $(SUITE) $(CODENAME)',
         'Created-By: Packages'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, check=False).stdout
    rows = [line.split() for line in listing.splitlines()]
    # An origin is known only after an `apt-get update`; before it the codename comes alone. The security
    # archive is another one, which has no sid.
    for row in rows:
        if 'main' in row[1:] and row[0].rstrip('/').endswith('/debian'):
            return row[0].rstrip('/')
    raise RuntimeInstallError(
        "No Debian mirror is configured in this machine's apt. Set %s to the address of one "
        "(the folder that holds dists/ and pool/), or RELION_HOME to an installed RELION 5." % MIRROR_VAR)


def _apt(config: Path, args: Sequence[str], mirror: str) -> str:
    env = dict(os.environ, APT_CONFIG=str(config), LC_ALL='C', DEBIAN_FRONTEND='noninteractive')
    done = subprocess.run(['apt-get'] + list(args), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if line.startswith(('E:', 'W:', 'Err'))]
        raise RuntimeInstallError(
            "Debian's packages could not be fetched from %s (%s). Check the network, or set %s to another "
            "mirror, or RELION_HOME to an installed RELION 5."
            % (mirror, '; '.join(errors[:3]) or 'apt-get ended with %d' % done.returncode, MIRROR_VAR))
    return done.stdout


def fetch_packages(state: Path, packages: Sequence[str], suite: str, status: Optional[Path] = None) -> List[Path]:
    """Download Debian packages and all that they need into `state`; what is there already is not fetched again.

    suite: Debian's name of the release ('sid', 'bookworm'). status: a dpkg status file of what need not be
    fetched; by default nothing is taken from the machine. Returns the .deb files. Raises RuntimeInstallError
    with a remedy.
    """
    check_machine()
    mirror = find_mirror()
    for name in ('lists/partial', 'cache/archives/partial', 'etc'):
        (state / name).mkdir(parents=True, exist_ok=True)
    if status is None:
        status = state / 'status'
        status.write_text('')
    signed = '[signed-by=%s] ' % KEYRING if KEYRING.exists() else ''
    (state / 'etc' / 'sources.list').write_text('deb %s%s %s main\n' % (signed, mirror, suite))
    config = state / 'etc' / 'apt.conf'
    config.write_text('\n'.join([
        'Dir::State "%s";' % state,
        'Dir::State::lists "%s";' % (state / 'lists'),
        'Dir::State::status "%s";' % status,
        'Dir::State::extended_states "%s";' % (state / 'extended_states'),
        'Dir::Cache "%s";' % (state / 'cache'),
        'Dir::Etc::sourcelist "%s";' % (state / 'etc' / 'sources.list'),
        'Dir::Etc::sourceparts "-";',
        'Dir::Etc::preferencesparts "-";',
        'Dir::Log "%s";' % state,
        'APT::Architecture "amd64";', 'APT::Architectures "amd64";',
        'APT::Install-Recommends "false";',
        'Debug::NoLocking "true";',  # the state is private, and locked by whoever calls
        # apt would give the files to its own user when run by root, who cannot enter a private folder
        'APT::Sandbox::User "root";',
        'Acquire::Languages "none";', 'Acquire::Retries "3";', '']))
    args = ['-c', str(config), '-qq', '-y']  # given last, so that /etc/apt does not win
    _apt(config, args + ['update'], mirror)
    _apt(config, args + ['--download-only', 'install'] + list(packages), mirror)
    return sorted((state / 'cache' / 'archives').glob('*.deb'))


def unpack(packages: Sequence[Path], folder: Path) -> None:
    """Unpack .deb files into `folder` (only files: no package's own scripts are run)."""
    for package in packages:
        subprocess.run(['dpkg-deb', '-x', str(package), str(folder)], check=True)
