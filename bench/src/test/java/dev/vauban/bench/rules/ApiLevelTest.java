package dev.vauban.bench.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** Every class file of every module runs on JDK 21 and on the JDK of the build. */
class ApiLevelTest {
  private static final ApiLevel RULE = new ApiLevel(Platform.release(21), Platform.running());

  @Test
  void everyClassOfEveryModuleIsWithinTheApiOfJdk21() throws IOException {
    var violations = new ArrayList<String>();
    int files = 0;
    for (Path folder : ProjectClasses.folders()) {
      for (Path file : ProjectClasses.classFiles(folder)) {
        violations.addAll(RULE.violations(Files.readAllBytes(file)));
        files++;
      }
    }
    assertThat(violations).isEmpty();
    // Each module has at least its module-info: fewer files means that they were not found.
    assertThat(files).isGreaterThan(ProjectClasses.MODULES.size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          java/lang/foreign/Arena         | allocateFrom    | (Ljava/lang/String;)Ljava/lang/foreign/MemorySegment;
          java/lang/foreign/MemorySegment | getString       | (J)Ljava/lang/String;
          java/lang/foreign/Linker        | canonicalLayouts| ()Ljava/util/Map;
          java/lang/foreign/SymbolLookup  | findOrThrow     | (Ljava/lang/String;)Ljava/lang/foreign/MemorySegment;
          java/util/stream/Stream         | gather          | (Ljava/util/stream/Gatherer;)Ljava/util/stream/Stream;
          java/nio/channels/FileChannel   | nope            | ()V
          """)
  void callOfANewerMethodIsFound(String owner, String name, String descriptor) {
    assertThat(RULE.violations(calling(owner, name, descriptor)))
        .anySatisfy(line ->
            assertThat(line)
                .startsWith("Caller uses " + owner.replace('/', '.') + "." + name + "(")
                .endsWith("which JDK 21 does not have"));
  }

  @Test
  void messageNamesClassMemberAndRelease() {
    byte[] caller =
        calling(
            "java/lang/foreign/Arena",
            "allocateFrom",
            "(Ljava/lang/String;)Ljava/lang/foreign/MemorySegment;");
    assertThat(RULE.violations(caller))
        .containsExactly(
            "Caller uses java.lang.foreign.Arena.allocateFrom(String), which JDK 21 does not have");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          java/util/List                    | getFirst    | ()Ljava/lang/Object;
          java/util/ArrayList               | reversed    | ()Ljava/util/List;
          java/lang/Math                    | clamp       | (JII)I
          java/lang/StringBuilder           | repeat      | (II)Ljava/lang/StringBuilder;
          java/lang/foreign/Arena           | ofConfined  | ()Ljava/lang/foreign/Arena;
          java/lang/foreign/Arena           | allocate    | (JJ)Ljava/lang/foreign/MemorySegment;
          java/lang/invoke/MethodHandle     | invokeExact | (IJLjava/lang/String;)D
          java/util/Map                     | toString    | ()Ljava/lang/String;
          java/io/FileInputStream           | transferTo  | (Ljava/io/OutputStream;)J
          jdk/incubator/vector/FloatVector  | intoMemorySegment | (Ljava/lang/foreign/MemorySegment;JLjava/nio/ByteOrder;)V
          org/objectweb/asm/ClassWriter     | toByteArray | ()[B
          """)
  void callOfAnOlderMethodIsFine(String owner, String name, String descriptor) {
    assertThat(RULE.violations(calling(owner, name, descriptor))).isEmpty();
  }

  @Test
  void newerFieldAndNewerClassAreFound() {
    byte[] reader =
        written(
            65,
            code -> {
              code.visitFieldInsn(
                  Opcodes.GETSTATIC,
                  "jdk/incubator/vector/VectorOperators",
                  "UMIN",
                  "Ljdk/incubator/vector/VectorOperators$Associative;");
              code.visitLdcInsn(Type.getObjectType("java/lang/classfile/ClassFile"));
            });
    assertThat(RULE.violations(reader))
        .contains(
            "Caller uses jdk.incubator.vector.VectorOperators.UMIN, which JDK 21 does not have",
            "Caller uses java.lang.classfile.ClassFile, which JDK 21 does not have");
  }

  @Test
  void methodThatLaterReleasesDroppedIsFound() {
    byte[] caller =
        calling(
            "java/lang/foreign/Arena",
            "allocateUtf8String",
            "(Ljava/lang/String;)Ljava/lang/foreign/MemorySegment;");
    List<String> expected =
        Runtime.version().feature() == 21
            ? List.of()
            : List.of(
                "Caller uses java.lang.foreign.Arena.allocateUtf8String(String), which JDK %d does not have"
                    .formatted(Runtime.version().feature()));
    assertThat(RULE.violations(caller)).isEqualTo(expected);
  }

  @Test
  void layoutHandleIsFoundAlthoughBothReleasesHaveIt() {
    byte[] caller =
        calling(
            "java/lang/foreign/StructLayout",
            "varHandle",
            "([Ljava/lang/foreign/MemoryLayout$PathElement;)Ljava/lang/invoke/VarHandle;");
    assertThat(RULE.violations(caller)).singleElement().asString().contains("coordinates differ");
  }

  @Test
  void newerAndPreviewClassFilesAreFound() {
    assertThat(RULE.violations(written(69, code -> {})))
        .containsExactly("Caller is of class file level 69.0; JDK 21 needs 65.0");
    assertThat(RULE.violations(written(65 | 0xFFFF0000, code -> {})))
        .containsExactly("Caller is of class file level 65.65535; JDK 21 needs 65.0");
  }

  private static byte[] calling(String owner, String name, String descriptor) {
    return written(
        65, code -> code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, owner, name, descriptor, false));
  }

  /** A class that is never loaded, with this code in its one method. */
  private static byte[] written(int version, java.util.function.Consumer<MethodVisitor> body) {
    var writer = new ClassWriter(0);
    writer.visit(version, Opcodes.ACC_PUBLIC, "Caller", null, "java/lang/Object", null);
    MethodVisitor code = writer.visitMethod(Opcodes.ACC_STATIC, "call", "()V", null, null);
    code.visitCode();
    body.accept(code);
    code.visitInsn(Opcodes.RETURN);
    code.visitMaxs(0, 0);
    code.visitEnd();
    return writer.toByteArray();
  }
}
