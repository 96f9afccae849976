package dev.vauban.bench.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rooms of the house and the doors between them. */
class ArchitectureTest {
  /** One root package per module; each may use only those before it. */
  private static final List<String> ROOMS =
      List.of("natives", "tensor", "nn", "adversarial", "meta", "cli", "bench").stream()
          .map(room -> "dev.vauban." + room + "..")
          .toList();

  private static final ArchRule NO_STANDARD_STREAMS =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.vauban.cli..", "dev.vauban.bench..")
          .should(ACCESS_STANDARD_STREAMS)
          .because("libraries log with System.Logger, and stdout belongs to the command line")
          .allowEmptyShould(true);

  private static final ArchRule VECTORS_IN_ONE_ROOM =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.vauban.tensor.backend.cpu..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.incubator.vector..")
          .because("the incubating API may change and is absent without --add-modules");

  private static final ArchRule NAMES_SAY_WHAT_LIVES_THERE =
      noClasses()
          .should()
          .haveSimpleNameEndingWith("Utils")
          .orShould()
          .haveSimpleNameEndingWith("Util")
          .orShould()
          .haveSimpleNameEndingWith("Manager")
          .orShould()
          .haveSimpleNameEndingWith("Impl")
          .orShould()
          .haveSimpleNameStartingWith("Abstract")
          .because("a reader finds the room by its name");

  private static JavaClasses project;

  @BeforeAll
  static void importClasses() {
    project = new ClassFileImporter().importPaths(ProjectClasses.folders());
    assertThat(project).isNotEmpty();
  }

  static IntStream rooms() {
    return IntStream.range(0, ROOMS.size() - 1);
  }

  @ParameterizedTest
  @MethodSource("rooms")
  void modulesDependOneWay(int room) {
    oneWay(room).check(project);
  }

  @Test
  void onlyTheCommandLineWritesToTheStandardStreams() {
    NO_STANDARD_STREAMS.check(project);
  }

  @Test
  void vectorApiStaysInTheCpuBackend() {
    VECTORS_IN_ONE_ROOM.check(project);
  }

  @Test
  void namesSayWhatLivesThere() {
    NAMES_SAY_WHAT_LIVES_THERE.check(project);
  }

  @Test
  void eachRuleCatchesAnOffender() {
    JavaClasses offenders = new ClassFileImporter().importPackages("dev.vauban.natives.offender");
    assertThat(offenders).hasSize(1);
    for (ArchRule rule : List.of(oneWay(0), NO_STANDARD_STREAMS, VECTORS_IN_ONE_ROOM)) {
      assertThatThrownBy(() -> rule.check(offenders))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("OffenderImpl");
    }
    assertThatThrownBy(() -> NAMES_SAY_WHAT_LIVES_THERE.check(offenders))
        .isInstanceOf(AssertionError.class);
  }

  private static ArchRule oneWay(int room) {
    return noClasses()
        .that()
        .resideInAPackage(ROOMS.get(room))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOMS.subList(room + 1, ROOMS.size()).toArray(String[]::new))
        .because("dependencies run one way: natives, tensor, nn, adversarial, meta, cli, bench")
        .allowEmptyShould(true);
  }
}
