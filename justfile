# What CI runs, read-only.
verify:
    bash .ci/run

# Rewrites what `verify` would refuse.
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# Three replicas and a prompt.
demo:
    cargo run --release --bin unumd -- demo

# The benchmark comes with `unum bench`; until then, how long a plan, a barrier and a push take in the demo.
bench:
    cargo run --release --bin unumd -- demo --execute "SELECT 1" --execute "SELECT count(*) FROM cluster_node_infos"
