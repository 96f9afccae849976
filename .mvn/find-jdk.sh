# Finds a Java installation without starting one. Sourced by ./vauban and ./mvnw; POSIX sh.
#
#   find_java MIN          sets java_home (and java_feature, for example 25) to a Java of at least
#   find_java MIN javac    feature version MIN; with javac, one that can compile. Fails if there is none.
#
# Looked at in this order: VAUBAN_JAVA_HOME, JAVA_HOME, the java on the PATH, the usual folders. In
# the folders a long-term-support release (21, 25, 29, ...) beats others, then the newest wins.
# VAUBAN_JDKS, a colon-separated list of folders that hold JDKs, replaces the usual folders.

# Sets java_feature to the feature version of the Java in folder $1, or to 0 if there is none that
# can run Vauban: a run-time image without the incubating Vector API module is of no use.
java_version_of() {
  java_feature=0
  [ -x "$1/bin/java" ] || return 0
  if [ -r "$1/release" ]; then
    while IFS='=' read -r fj_key fj_value; do
      fj_value=${fj_value#\"}
      case $fj_key in
        JAVA_VERSION) java_feature=${fj_value%%[!0-9]*} ;;
        MODULES)
          case " ${fj_value%\"*} " in
            *" jdk.incubator.vector "*) ;;
            *) java_feature=0 && return 0 ;;
          esac ;;
      esac
    done <"$1/release"
  else
    # Debian's older packages have no release file, but a telling name: java-17-openjdk-amd64.
    fj_name=${1##*/}
    case $fj_name in
      java-[0-9]*-openjdk*) fj_name=${fj_name#java-} && java_feature=${fj_name%%[!0-9]*} ;;
      *) java_feature=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') ;;
    esac
  fi
  [ -n "$java_feature" ] || java_feature=0
}

# Sets path_java_home to the installation that the java on the PATH belongs to, links resolved.
java_home_on_path() {
  path_java_home=
  fj_java=$(command -v java 2>/dev/null) || return 0
  while [ -L "$fj_java" ]; do
    fj_target=$(readlink "$fj_java")
    case $fj_target in
      /*) fj_java=$fj_target ;;
      *) fj_java=${fj_java%/*}/$fj_target ;;
    esac
  done
  path_java_home=$(cd "${fj_java%/*}/.." 2>/dev/null && pwd -P) || path_java_home=
  # macOS has a stub in /usr/bin that opens a dialogue; it belongs to no installation.
  [ "$path_java_home" != /usr ] || path_java_home=
}

# Succeeds if folder $1 has a Java of at least $2 and, where $3 is javac, a compiler.
java_fits() {
  [ -n "$1" ] || return 1
  java_version_of "$1"
  [ "$java_feature" -ge "$2" ] || return 1
  [ "${3-}" != javac ] || [ -x "$1/bin/javac" ]
}

find_java() {
  java_home_on_path
  for fj_home in "${VAUBAN_JAVA_HOME-}" "${JAVA_HOME-}" "$path_java_home"; do
    if java_fits "$fj_home" "$1" "${2-}"; then
      java_home=$fj_home
      return 0
    fi
  done

  java_home=
  fj_best=0
  if [ -n "${VAUBAN_JDKS-}" ]; then
    fj_ifs=$IFS
    IFS=:
    for fj_folder in $VAUBAN_JDKS; do
      IFS=$fj_ifs
      for fj_home in "$fj_folder"/*; do
        java_consider "$fj_home" "$1" "${2-}"
      done
    done
    IFS=$fj_ifs
  else
    for fj_home in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/* /opt/java/* /opt/jvm/* \
      "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* "${HOME-}"/.asdf/installs/java/* \
      "${HOME-}"/.local/share/mise/installs/java/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home \
      "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
      /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
      /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
      java_consider "$fj_home" "$1" "${2-}"
    done
  fi
  [ -n "$java_home" ] || return 1
  java_version_of "$java_home"
}

# Keeps folder $1 in java_home if it fits and ranks above the best so far.
java_consider() {
  [ -x "$1/bin/java" ] && java_fits "$1" "$2" "$3" || return 0
  fj_rank=$java_feature
  [ $(((java_feature - 21) % 4)) -ne 0 ] || fj_rank=$((fj_rank + 1000))
  if [ "$fj_rank" -gt "$fj_best" ]; then
    fj_best=$fj_rank
    java_home=$1
  fi
}
