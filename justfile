# What CI runs, read-only.
verify:
    bash .ci/run

# That, and all of every trial: root for those of disks and power.
verify-all: verify
    cargo build --workspace --bins
    trial="${CARGO_TARGET_DIR:-target}/debug/unum-trial"; \
        for name in $($trial list | grep -oE '^\S+'); do $trial run "$name" || exit 1; done

# Rewrites what `verify` would refuse.
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# Three replicas and a prompt.
demo:
    cargo run --release --bin unumd -- demo

# The figures of docs/PERFORMANCE.md, without etcd beside them.
bench:
    cargo build --release --workspace --bins
    .ci/bench compare

# Ten minutes of faults; root for those of network and disk.
chaos:
    cargo build --release --workspace --bins
    cargo run --release --bin unum-chaos -- run --scenario all --minutes 10 --seed 7
