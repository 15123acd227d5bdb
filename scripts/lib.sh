# Shared by the scripts here: the project's own environment in .venv, made with Python and pip only.
# Sourced, not run. Leaves the working directory at the top of the repository.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE # without bytecode every import of TensorFlow takes three times as long
export PIP_DISABLE_PIP_VERSION_CHECK=1 TF_CPP_MIN_LOG_LEVEL=3

# use_venv INSTALL...: make .venv where it is missing, install unless just this was installed already.
use_venv() {
    local python=${PYTHON:-python3} stamp=.venv/installed wanted
    if [ ! -x .venv/bin/python ]; then
        echo "making .venv"
        "$python" -m venv .venv
    fi
    wanted="$* $(cksum pyproject.toml)"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing $*"
        rm -f "$stamp"
        .venv/bin/python -m pip install --quiet --compile "$@"
        echo "$wanted" >"$stamp"
    fi
    PATH="$PWD/.venv/bin:$PATH"
}
