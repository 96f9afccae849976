package dev.vauban.bench.rules;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * The API of one JDK release: which classes it has and which members they declare. Class names are
 * internal ones, {@code java/util/List}; a member is its name followed by its descriptor.
 */
sealed interface Platform {
  /** What one class declares: the names of its superclass and interfaces, and its members. */
  record Declared(Set<String> parents, Set<String> members) {}

  /** The feature version, for example 21. */
  int feature();

  /** The class of this internal name, if this release has it. */
  Optional<Declared> find(String name);

  /** The JDK that runs this test. */
  static Platform running() {
    return new Running();
  }

  /**
   * Release {@code feature}, as its descendants remember it: the file {@code lib/ct.sym} of a JDK
   * holds the signatures of every earlier release, for {@code javac --release}. It knows preview
   * and incubating API too, which {@code --release} itself would hide.
   */
  static Platform release(int feature) {
    return Runtime.version().feature() == feature ? running() : new Remembered(feature);
  }

  /** The classes that the running JDK's own loader finds. */
  final class Running implements Platform {
    private final Map<String, Optional<Declared>> known = new HashMap<>();

    @Override
    public int feature() {
      return Runtime.version().feature();
    }

    @Override
    public Optional<Declared> find(String name) {
      return known.computeIfAbsent(name, Running::read);
    }

    private static Optional<Declared> read(String name) {
      var url = ClassLoader.getSystemResource(name + ".class");
      if (url == null || !url.getProtocol().equals("jrt")) {
        return Optional.empty();
      }
      try (InputStream in = url.openStream()) {
        return Optional.of(declared(in.readAllBytes()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * The signatures in {@code ct.sym}, whose top folders are named by the releases they hold for.
   */
  final class Remembered implements Platform {
    private final int feature;
    private final Map<String, Optional<Declared>> classes = new HashMap<>();

    private Remembered(int feature) {
      this.feature = feature;
      Path file = Path.of(System.getProperty("java.home"), "lib", "ct.sym");
      if (!Files.exists(file)) {
        throw new IllegalStateException(file + " is missing; run the tests on a full JDK");
      }
      // One character each: 8, 9, A for 10, ... L for 21.
      String mark = Integer.toString(feature, Character.MAX_RADIX).toUpperCase(Locale.ROOT);
      try (ZipFile zip = new ZipFile(file.toFile())) {
        var entries = zip.entries();
        while (entries.hasMoreElements()) {
          ZipEntry entry = entries.nextElement();
          String[] path = entry.getName().split("/", 3);
          if (path.length == 3 && path[0].contains(mark) && path[2].endsWith(".sig")) {
            String name = path[2].substring(0, path[2].length() - ".sig".length());
            classes.put(name, Optional.of(declared(zip.getInputStream(entry).readAllBytes())));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      if (!classes.containsKey("java/lang/Object")) {
        throw new IllegalStateException(file + " does not know release " + feature);
      }
    }

    @Override
    public int feature() {
      return feature;
    }

    @Override
    public Optional<Declared> find(String name) {
      return classes.getOrDefault(name, Optional.empty());
    }
  }

  /** Reads what a class file declares. */
  static Declared declared(byte[] classFile) {
    Set<String> parents = new HashSet<>();
    Set<String> members = new HashSet<>();
    ClassVisitor visitor =
        new ClassVisitor(Opcodes.ASM9) {
          @Override
          public void visit(
              int version, int access, String name, String sig, String parent, String[] faces) {
            if (parent != null) {
              parents.add(parent);
            }
            parents.addAll(Set.of(faces));
          }

          @Override
          public FieldVisitor visitField(
              int access, String name, String descriptor, String sig, Object value) {
            members.add(name + descriptor);
            return null;
          }

          @Override
          public MethodVisitor visitMethod(
              int access, String name, String descriptor, String sig, String[] exceptions) {
            members.add(name + descriptor);
            return null;
          }
        };
    int nothingElse = ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES;
    new ClassReader(classFile).accept(visitor, nothingElse);
    return new Declared(parents, members);
  }
}
