package dev.vauban.bench.rules;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.Type;

/**
 * What javac does not check when it compiles with {@code -source 21} instead of {@code --release
 * 21} (ADR 0001): that a class file is of level 65.0 and refers only to platform classes and
 * members that exist both in JDK 21 and in the JDK of the build. All references of a class file are
 * in its constant pool, so that is all this reads.
 */
final class ApiLevel {
  private static final int CLASS = 7;
  private static final int FIELD = 9;
  private static final int METHOD = 10;
  private static final int INTERFACE_METHOD = 11;
  private static final int NAME_AND_TYPE = 12;
  private static final int METHOD_TYPE = 16;

  private static final Set<String> SIGNATURE_POLYMORPHIC =
      Set.of("java/lang/invoke/MethodHandle", "java/lang/invoke/VarHandle");

  private final List<Platform> platforms;
  private final Map<String, Optional<Platform.Declared>> others = new HashMap<>();

  /** The rule that every one of these releases must satisfy. */
  ApiLevel(Platform... platforms) {
    this.platforms = List.of(platforms);
  }

  /** One sentence for each thing in a class file that would not run everywhere; empty if none. */
  List<String> violations(byte[] classFile) {
    var found = new LinkedHashSet<String>();
    var in = new ClassReader(classFile);
    String self = in.getClassName().replace('/', '.');
    int version = in.readInt(4);
    if (version != 65) {
      found.add(
          "%s is of class file level %d.%d; JDK 21 needs 65.0"
              .formatted(self, version & 0xFFFF, version >>> 16));
    }
    char[] buffer = new char[in.getMaxStringLength()];
    for (int i = 1; i < in.getItemCount(); i++) {
      int at = in.getItem(i);
      if (at == 0) {
        continue; // the second slot of a long or double
      }
      switch (in.readByte(at - 1)) {
        case CLASS -> checkType(self, Type.getObjectType(in.readUTF8(at, buffer)), found);
        case METHOD_TYPE -> checkTypes(self, in.readUTF8(at, buffer), found);
        case NAME_AND_TYPE -> checkTypes(self, in.readUTF8(at + 2, buffer), found);
        case FIELD, METHOD, INTERFACE_METHOD -> {
          int nameAndType = in.getItem(in.readUnsignedShort(at + 2));
          checkMember(
              self,
              in.readClass(at, buffer),
              in.readUTF8(nameAndType, buffer),
              in.readUTF8(nameAndType + 2, buffer),
              found);
        }
        default -> {}
      }
    }
    return new ArrayList<>(found);
  }

  private void checkTypes(String self, String descriptor, Set<String> found) {
    if (descriptor.startsWith("(")) {
      for (Type argument : Type.getArgumentTypes(descriptor)) {
        checkType(self, argument, found);
      }
      checkType(self, Type.getReturnType(descriptor), found);
    } else {
      checkType(self, Type.getType(descriptor), found);
    }
  }

  private void checkType(String self, Type type, Set<String> found) {
    Type element = type.getSort() == Type.ARRAY ? type.getElementType() : type;
    if (element.getSort() != Type.OBJECT || !isPlatform(element.getInternalName())) {
      return;
    }
    for (Platform platform : platforms) {
      if (platform.find(element.getInternalName()).isEmpty()) {
        found.add(missing(self, element.getClassName(), platform));
      }
    }
  }

  private void checkMember(
      String self, String owner, String name, String descriptor, Set<String> found) {
    if (owner.startsWith("[")) {
      return; // an array's clone()
    }
    String readable = owner.replace('/', '.') + "." + readable(name, descriptor);
    if (owner.startsWith("java/lang/foreign/") && name.endsWith("arHandle")) {
      found.add(
          "%s uses %s, whose coordinates differ between JDK 21 and 22; use get and set with offsets"
              .formatted(self, readable));
      return;
    }
    for (Platform platform : platforms) {
      // A missing class is reported on its own.
      boolean known = !isPlatform(owner) || platform.find(owner).isPresent();
      if (known && !resolves(platform, owner, name, descriptor)) {
        found.add(missing(self, readable, platform));
      }
    }
  }

  /** Whether the member is found in the owner or above it, as the JVM would look for it. */
  private boolean resolves(Platform platform, String owner, String name, String descriptor) {
    if (SIGNATURE_POLYMORPHIC.contains(owner)) {
      return platform.find(owner).orElseThrow().members().stream()
          .anyMatch(member -> member.startsWith(name + "("));
    }
    Optional<Platform.Declared> declared =
        isPlatform(owner) ? platform.find(owner) : others.computeIfAbsent(owner, ApiLevel::read);
    if (declared.isEmpty()) {
      return !isPlatform(owner); // an optional library that is not here: not ours to judge
    }
    if (declared.get().members().contains(name + descriptor)) {
      return true;
    }
    for (String parent : declared.get().parents()) {
      if (resolves(platform, parent, name, descriptor)) {
        return true;
      }
    }
    // Interfaces inherit the public methods of Object.
    return !owner.equals("java/lang/Object")
        && declared.get().parents().isEmpty()
        && resolves(platform, "java/lang/Object", name, descriptor);
  }

  private static Optional<Platform.Declared> read(String name) {
    try (InputStream in = ClassLoader.getSystemResourceAsStream(name + ".class")) {
      return in == null ? Optional.empty() : Optional.of(Platform.declared(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isPlatform(String name) {
    if (name.startsWith("java/") || name.startsWith("jdk/")) {
      return true;
    }
    var url = ClassLoader.getSystemResource(name + ".class");
    return url != null && url.getProtocol().equals("jrt");
  }

  private static String missing(String self, String what, Platform platform) {
    return "%s uses %s, which JDK %d does not have".formatted(self, what, platform.feature());
  }

  /** For example {@code allocateFrom(String)} or, for a field, its name alone. */
  private static String readable(String name, String descriptor) {
    if (!descriptor.startsWith("(")) {
      return name;
    }
    var arguments = new ArrayList<String>();
    for (Type type : Type.getArgumentTypes(descriptor)) {
      String full = type.getClassName();
      arguments.add(full.substring(full.lastIndexOf('.') + 1));
    }
    return name + "(" + String.join(", ", arguments) + ")";
  }
}
