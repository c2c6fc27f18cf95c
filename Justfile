# Every task that a person runs. `./just` lists them; each installs what it lacks and says what it does.

set shell := ["bash", "-euo", "pipefail", "-c"]

version := `sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml`

# List the recipes.
[private]
default:
    @just --list --unsorted

# Bake the images: dist/wats-appliance-VERSION.{qcow2,ova,vhd}. `./just image base=debian-12` chooses the base.
image *options: packages
    packer/build {{version}} {{options}}

# Build everything and pass all tests but those of the image.
test:
    tools/setup build test
    cargo build --workspace --all-targets
    cargo test --workspace --no-fail-fast

# Run agent and console on this machine, with a simulated WATS server, to look at.
demo:
    tools/setup build test
    cargo build --workspace --bins
    tools/demo

# How fast the pipeline is, next to what this machine can do: tables for docs/performance.md. `./just bench formats` measures the converters, `./just bench plugins` customers' own.
bench *options:
    tools/setup build
    tools/bench {{options}}

# Fuzz every family of converters for so many seconds each. Ends with 3 where cargo-fuzz is missing: `tools/setup fuzz` installs it.
fuzz seconds="60":
    tools/setup build
    tools/fuzz {{seconds}}

# What the agent must survive, counted: `./just torture [FAULT…] [--long] [--seed N]`. The short form takes some minutes.
torture *options:
    tools/setup build
    cargo build -p wats-agent -p wats-tests --bins
    cargo run -q -p wats-tests --bin torture -- {{options}}

# Build the Debian packages and the signed apt repository: dist/packages, dist/apt.
packages:
    tools/setup build packages
    tools/stage packages "Debian packages and apt repository" \
      .cargo Cargo.toml Cargo.lock wats converters agent appliance console tools/packages tools/pywats-package version={{version}} \
      -- tools/packages {{version}}

# Install, upgrade, remove and purge the packages in a bare Debian.
packages-test: packages
    tools/setup image
    tools/packages-test

# Boot the three images in QEMU and play the whole story from outside.
image-test:
    tools/setup build image
    cargo build -p wats-tests --all-targets
    cargo test -p wats-tests --test image -- --nocapture --test-threads 1

# Format, lints, licences, shell scripts, YAML and playbooks.
check:
    tools/setup build lint targets
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    tools/check-targets
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
    cargo deny --log-level error check bans licenses sources
    git ls-files -z | xargs -0 grep -lZE '^#!.*\b(ba)?sh\b' | xargs -0 shellcheck
    git ls-files -z '*.yml' '*.yaml' | xargs -0 -r yamllint --strict
    packer/lint
    ansible-lint --offline -q ansible

# Build the agent for Windows, and try it under Wine.
windows:
    tools/setup build windows
    tools/windows

# Known vulnerabilities in the dependencies. Needs the advisory database, so the internet.
advisories:
    tools/setup build lint
    cargo deny check advisories

# Remove what the build made; what was downloaded stays in ~/.cache/wats-appliance.
clean:
    rm -rf build dist target screenshots
