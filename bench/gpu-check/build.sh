#!/bin/sh
# Packs gpu-check with a Java of its own into a folder that can be carried to a machine with a card
# but without network and without a JDK.
#
#   bench/gpu-check/build.sh FOLDER      FOLDER must not exist; some 55 MB
#
# There, run FOLDER/gpu-check (see README.md beside this script). The machine must be Linux on the
# kind of processor that this one has.
set -eu

folder=${1:?usage: build.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
[ ! -e "$folder" ] || {
  echo "build.sh: $folder exists already" >&2
  exit 2
}

. "$root/.mvn/find-jdk.sh"
find_java 22 javac || {
  echo "build.sh: no JDK 22 or newer was found; install JDK 25 or set JAVA_HOME to one" >&2
  exit 3
}

if [ "${GPU_CHECK_BUILT-}" != yes ]; then # yes: the classes in target are up to date
  (cd "$root" && ./mvnw -q -B ${MAVEN_ARGS-} -pl bench -am -DskipTests package)
fi

mkdir -p "$folder/lib"
"$java_home/bin/jlink" \
  --add-modules java.base,java.logging,java.xml,java.management,jdk.management,jdk.incubator.vector \
  --strip-debug --no-header-files --no-man-pages --compress zip-9 \
  "--add-options=--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED" \
  --output "$folder/java"

# Our own classes, and of the tests' only those that gpu-check needs: no test framework is carried.
classes="$folder/classes" # until they are in a jar
mkdir "$classes"
for module in native-bindings tensor nn adversarial meta cli bench; do
  cp -R "$root/$module/target/classes/." "$classes/"
done
rm -f "$classes/module-info.class"
(
  cd "$root/tensor/target/test-classes"
  find dev/vauban/tensor -maxdepth 1 \( -name 'OpCase*.class' -o -name 'SpecialCases*.class' \) ! -name '*Test*'
  find dev/vauban/tensor/golden -name 'Runs*.class'
) | while read -r class; do
  mkdir -p "$classes/$(dirname "$class")"
  cp "$root/tensor/target/test-classes/$class" "$classes/$class"
done
mkdir -p "$classes/dev/vauban/bench/gpu"
for class in "$root"/bench/target/test-classes/dev/vauban/bench/gpu/*.class; do
  case $class in
    *Test*.class) ;;
    *) cp "$class" "$classes/dev/vauban/bench/gpu/" ;;
  esac
done

"$java_home/bin/jar" --create --file "$folder/lib/vauban.jar" -C "$classes" .
rm -r "$classes"

# Of the other jars, those that these classes use; the processor's oneDNN stays behind.
for jar in "$root"/bench/target/lib/*.jar; do
  case ${jar##*/} in
    org.ow2.asm.* | tools.jackson.core.* | com.fasterxml.jackson.*) cp "$jar" "$folder/lib/" ;;
  esac
done

cp "$here"/peer_*.py "$here/gpu-check" "$here/README.md" "$folder/"
chmod +x "$folder/gpu-check"
du -sm "$folder" | awk '{print "packed " $1 " MB"}'
