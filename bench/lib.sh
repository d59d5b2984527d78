# shellcheck shell=bash disable=SC2034,SC2154  # what is set here is used by the scripts that source it, and the reverse
# Shared by the scripts of this folder: sourced, never run. Builds the library and the benchmarks where they are stale.
# shellcheck source=bin/lib.sh
. "$(cd -P "${BASH_SOURCE[0]%/*}/../bin" && pwd)/lib.sh"

bench=$root/bench

# build_bench [MAVEN'S OPTIONS...]: installs the library into the local Maven repository, from where this build takes it,
# and packs the benchmarks with everything they need into bench/target.
build_bench() {
  if ! find_java jdk || ! have mvn; then
    "$root/bin/setup"
    hash -r
    find_java jdk
  fi
  local stamp=$bench/target/stamp sources=("$root/pom.xml" "$root/src/main" "$root/kernels" "$bench/pom.xml" "$bench/src")
  if [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]; then
    return
  fi
  # no library of an earlier build stays on the class path
  rm -rf "$stamp" "$bench/target/lib"
  mkdir -p "$bench/target"
  touch "$stamp.new"
  log=$bench/target/build.log
  : >"$log"
  if ! quietly "building the library" mvn -q -B -ntp -f "$root/pom.xml" -Dmaven.test.skip=true \
    -Dspotless.check.skip=true install ||
    ! quietly "building the benchmarks (the first time downloads the peers, 200 MB)" mvn -q -B -ntp \
      -f "$bench/pom.xml" -DskipTests -Dspotless.check.skip=true package; then
    cat "$log" >&2
    die "the build failed; what Maven says stands above"
  fi
  mv "$stamp.new" "$stamp"
}

# run_bench [OPTIONS FOR JAVA...] MAIN ARGUMENTS...: runs a main class of the benchmarks in place of this script.
run_bench() {
  local path=$bench/target/classes jar
  for jar in "$bench"/target/lib/*.jar; do path=$path:$jar; done
  local vectors=()
  keep_signals
  # for the java device; JMH hands them on to its forks
  ! has_module jdk.incubator.vector || vectors=(--add-modules jdk.incubator.vector)
  # Libraries unpack their native parts once, into target/native.
  exec "$JAVA_HOME/bin/java" ${vectors[@]+"${vectors[@]}"} "-Dcellfuse.bench.cache=$bench/target/native" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$path" "$@"
}
