# shellcheck shell=bash disable=SC2034  # what is set here is used by the scripts that source it
# Shared by the scripts of this folder and of .ci: sourced, never run. Bash 3.2 will do, as macOS brings no newer one.
# The checks only look at files: they run at every start of the launcher, where a `java -version` would cost more than
# everything else together.

root=$(cd -P "${BASH_SOURCE[0]%/*}/.." && pwd)
os=$(uname -s)

# Progress and errors go to stderr: stdout belongs to the program.
say() { printf 'cellfuse: %s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# quietly WHAT COMMAND...: runs an external command with its output in the file $log (the caller's), and gives a sign of
# life every ten seconds. The command runs in the background, where bash hides Ctrl-C from it; so it is ended by hand.
quietly() {
  local what=$1 child status=0 started=$SECONDS told=0
  shift
  say "$what"
  "$@" >>"${log:?}" 2>&1 </dev/null &
  child=$!
  trap 'kill "$child" 2>/dev/null; exit 130' INT TERM HUP
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.2
    if [ $(((SECONDS - started) / 10)) -gt "$told" ]; then
      told=$(((SECONDS - started) / 10))
      say "  ... $((SECONDS - started)) s"
    fi
  done
  wait "$child" || status=$?
  trap - INT TERM HUP
  return "$status"
}

# java_major HOME: prints the major version of a Java installation; fails when there is none in that folder.
java_major() {
  local line version
  [ -x "$1/bin/java" ] || return 1
  if [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case $line in
        JAVA_VERSION=*)
          version=${line#*\"}
          version=${version%%\"*}
          version=${version#1.} # 1.8.0 is 8
          printf '%s\n' "${version%%[!0-9]*}"
          return 0
          ;;
      esac
    done <"$1/release"
  fi
  # a repackaged installation without the release file
  version=$("$1/bin/java" -version 2>&1) || return 1
  version=${version#*\"}
  version=${version#1.}
  printf '%s\n' "${version%%[!0-9]*}"
}

# java_home_of COMMAND: the installation that a java or javac on the PATH belongs to, through all its links.
java_home_of() {
  local file target
  file=$(command -v "$1") || return 1
  while [ -L "$file" ]; do
    target=$(readlink "$file")
    case $target in
      /*) file=$target ;;
      *) file=${file%/*}/$target ;;
    esac
  done
  file=$(cd -P "${file%/*}/.." && pwd) && printf '%s\n' "$file"
}

# find_java [jdk]: sets JAVA_HOME and java_version to a Java of 17 or newer, with a compiler when "jdk" is given. The one
# that the user chose (JAVA_HOME, then the PATH) comes first; an older one there does not hide a newer one beside it.
find_java() {
  local home version
  for home in "${JAVA_HOME:-}" path:javac path:java /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    case $home in
      path:*) home=$(java_home_of "${home#path:}") || continue ;;
    esac
    [ -n "$home" ] || continue
    [ "${1:-}" != jdk ] || [ -x "$home/bin/javac" ] || continue
    version=$(java_major "$home") || continue
    if [ "${version:-0}" -ge 17 ]; then
      export JAVA_HOME=$home
      java_version=$version
      return 0
    fi
  done
  return 1
}

# has_module NAME: whether the Java that was found brings a module, by its release file: asking it would take a second.
has_module() {
  local line
  [ -r "$JAVA_HOME/release" ] || return 1
  while IFS= read -r line; do
    case $line in
      MODULES=*[\"\ ]"$1"[\"\ ]*) return 0 ;;
    esac
  done <"$JAVA_HOME/release"
  return 1
}

# find_library NAME: whether the dynamic linker would find a shared library, judged by the usual folders.
find_library() {
  local folder
  case $1 in
    /*)
      [ -e "$1" ]
      return
      ;;
  esac
  local IFS=:
  for folder in ${LD_LIBRARY_PATH:-}; do
    [ ! -e "$folder/$1" ] || return 0
  done
  for folder in /usr/lib/*-linux-gnu* /usr/lib64 /usr/lib /usr/local/lib /usr/local/lib64 /usr/local/lib/*-linux-gnu* \
    /lib/*-linux-gnu* /lib64 /opt/homebrew/lib /usr/local/nvidia/lib64 /usr/local/cuda/lib64; do
    [ ! -e "$folder/$1" ] || return 0
  done
  return 1
}

# macOS brings a loader and a platform as a framework.
have_opencl_loader() { [ "$os" = Darwin ] || find_library libOpenCL.so.1; }

# An .icd file alone proves nothing: images made for GPUs carry nvidia.icd without the driver. Its library counts.
have_opencl_platform() {
  local folder=${OCL_ICD_VENDORS:-/etc/OpenCL/vendors} file library
  [ "$os" != Darwin ] || return 0
  # a single file is also allowed there, and is the choice of somebody who knows what they do
  [ -d "$folder" ] || [ -z "${OCL_ICD_VENDORS:-}" ] || return 0
  for file in "$folder"/*.icd; do
    [ -r "$file" ] || continue
    library=
    read -r library <"$file" || true # the last line may lack its newline
    [ -z "$library" ] || ! find_library "$library" || return 0
  done
  return 1
}

# have_implementation NAME: whether one of the OpenCL implementations that the tests run on is there: the library that they name.
have_implementation() {
  local library=
  read -r library <"$root/src/test/opencl/$1/$1.icd" || true
  [ -n "$library" ] && find_library "$library"
}

# have_browser: whether the browser that the tests look at pages in is there, with its driver.
have_browser() { { have chromium || have chromium-browser; } && have chromedriver; }

# PoCL brings LLVM into the process, whose signal handlers push the JVM's own aside while it compiles: now and then a
# build fails, or the JVM ends without a word. The JDK's libjsig, loaded first, keeps the JVM's in front.
keep_signals() {
  local library=$JAVA_HOME/lib/libjsig.so
  case $os:${LD_PRELOAD:-} in
    *libjsig*) ;;
    Linux:*) [ ! -e "$library" ] || export LD_PRELOAD=$library${LD_PRELOAD:+:$LD_PRELOAD} ;;
  esac
}

# without_incubator_line MODULE: copies stdin to stdout without the JVM's warning of that module, its first line. Ctrl-C
# goes to the whole group of processes; this one has to stay, for what the program says then.
without_incubator_line() {
  local first=
  trap '' INT TERM HUP
  if IFS= read -r first; then
    [ "$first" = "WARNING: Using incubator modules: $1" ] || printf '%s\n' "$first"
    cat
  else
    printf '%s' "$first"
  fi
}

# Java spells file names in the locale's encoding. Without a locale, as in a bare container, that is ASCII, and a file
# called données.npy couldn't be named at all. Where there is no C.UTF-8 either, this changes nothing.
utf8_file_names() {
  case ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} in
    C | POSIX) export LC_ALL=C.UTF-8 ;;
  esac
}

# What runs is a copy of the jars in target/launcher. A build beside a running program therefore pulls no jar from under
# it, no library of an earlier build stays on the class path, and the class archive fits the jars that it was made from.
launcher=$root/target/launcher

# The stamp is as old as the start of its build, so an edit made during the build counts as newer. Folders are looked at
# too: their time tells of a file that is gone.
is_fresh() {
  local sources=("$root/pom.xml" "$root/src/main") packed
  for packed in "$root/kernels" "$root"/examples/language/{model.onnx,vocabulary.txt}; do
    [ ! -e "$packed" ] || sources+=("$packed")
  done
  [ -e "$launcher/stamp" ] &&
    [ -z "$(find "${sources[@]}" -newer "$launcher/stamp" -print -quit)" ]
}

# set_java: sets java, the command without the main class.
# - The collector, unless the options name one: the data are a few arrays of up to gigabytes. ParallelGC puts them
#   straight into the old generation and collects with all cores; G1, the default, cuts its heap into regions and needs
#   whole runs of them for each array. All collectors start equally fast here (when tried).
# - The compilers are left alone: the java device lives from C2.
# - The JVM's own warnings go to stderr. An archive of another Java or of other options is no more than slower.
set_java() {
  local folder=$1 jar path='' words=()
  for jar in "$folder"/*.jar; do path=$path${path:+:}$jar; done
  read -r -a words <<<"${CELLFUSE_JAVA_OPTS:-}" || true
  java=("$JAVA_HOME/bin/java" -Xlog:disable "-Xlog:all=warning:stderr" "-Xlog:cds*=off")
  case ${CELLFUSE_JAVA_OPTS:-} in
    *-XX:+Use*GC*) ;;
    *) java+=(-XX:+UseParallelGC) ;;
  esac
  # jocl loads a native library, on which newer Javas remark
  [ "$java_version" -lt 22 ] || java+=(--enable-native-access=ALL-UNNAMED)
  [ ! -e "$folder/classes-$java_version.jsa" ] || java+=("-XX:SharedArchiveFile=$folder/classes-$java_version.jsa")
  java+=(${words[@]+"${words[@]}"} -cp "$path")
}

# archive_classes FOLDER: keeps the classes that a small run loads in their parsed form; such a run took 214 ms instead
# of 254 when tried. It is an extra: where it fails, it is left out.
archive_classes() {
  local example=$root/examples/sunspots
  # -Xbatch: a method that waits for the compiler when the archive is written is archived in this state, and no later run
  # would ever compile it. On a busy machine, this made the java device ten times slower.
  CELLFUSE_JAVA_OPTS='' set_java "$1"
  if ! "${java[@]}" -Xbatch "-XX:ArchiveClassesAtExit=$1/classes-$java_version.jsa" io.github.cellfuse.cli.CellFuse \
    run "$example/model.safetensors" "$example/input.npy" --device java --quiet -o "$1/y.npy" >/dev/null 2>&1; then
    rm -f "$1/classes-$java_version.jsa"
  fi
  rm -f "$1/y.npy"
}

build() {
  local started=$SECONDS new=$launcher.new what="building, for the first time"
  [ ! -e "$launcher" ] || what="building, as the sources have changed"
  # Maven replaces what it makes and leaves the rest: the jars of an earlier version, say.
  rm -rf "$new" "$root/target/lib" "$root"/target/cellfuse-*.jar
  mkdir -p "$new"
  touch "$new/stamp"
  log=$root/target/launcher.log
  : >"$log"
  # A test that does not compile is no reason not to run.
  if ! quietly "$what" mvn -q -B -ntp -f "$root/pom.xml" -Dmaven.test.skip=true -Dspotless.check.skip=true package; then
    cat "$log" >&2
    die "the build failed; what Maven says stands above"
  fi
  cp "$root"/target/cellfuse-*.jar "$new/"
  cp "$root"/target/lib/*.jar "$new/"
  # The archive remembers the place of its jars, so they move to their final one first.
  rm -rf "$launcher.old"
  [ ! -e "$launcher" ] || mv "$launcher" "$launcher.old"
  mv "$new" "$launcher"
  rm -rf "$launcher.old"
  archive_classes "$launcher"
  say "built in $((SECONDS - started)) s"
}

# need_jdk_and_maven: sees to them, and sets JAVA_HOME and java_version. A machine without OpenCL will do: the java device
# serves. So setup's own verdict is not asked for.
need_jdk_and_maven() {
  if ! find_java jdk || ! have mvn; then
    "$root/bin/setup" || true
    hash -r
    if ! find_java jdk || ! have mvn; then die "cannot build without a JDK and Maven"; fi
  fi
}

# build_if_stale: sees to jars of today's sources in $launcher, and sets JAVA_HOME and java_version.
build_if_stale() {
  if is_fresh && find_java; then return; fi
  need_jdk_and_maven
  mkdir -p "$root/target"
  # Two launchers at once: the second waits, and then finds all done. macOS has no flock; there, start one first.
  if have flock; then
    exec 9>"$root/target/launcher.lock"
    flock 9
  fi
  is_fresh || build
  exec 9>&-
}

# may_install: sets as_root, the words before a command that make it root's; fails where that takes a password.
may_install() {
  have apt-get || return 1
  if [ "$(id -u)" = 0 ]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
  else
    have sudo || return 1
    sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
  fi
}

# apt_install PACKAGES...: where may_install has said yes, and after apt_update.
apt_install() {
  log=$(mktemp)
  if ! quietly "installing $*" \
    "${as_root[@]}" apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get install failed"
  fi
  rm -f "$log"
}

# An update that fails (no network) need not be the end: the packages may be in the cache.
apt_update() {
  log=$(mktemp)
  quietly "reading the package lists" "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=120 update ||
    say "warning: apt-get update failed: $(tail -n 1 "$log")"
  rm -f "$log"
}
