package dev.vauban.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.cli.Main;
import dev.vauban.cli.config.Resolver.Resolved;
import dev.vauban.cli.failure.CommandException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The merge of flags, environment, files and defaults. */
class ConfigTest {
  @TempDir Path folder;

  @Test
  void aFlagBeatsTheEnvironmentBeatsTheFileBeatsTheDefault() throws Exception {
    Path file = file("ways: 10\nshots: 3\nqueries: 7\n");
    Map<String, String> environment = Map.of("VAUBAN_WAYS", "20", "VAUBAN_SHOTS", "4");
    Settings merged =
        resolve(environment, "train", "--config", file.toString(), "--ways", "30").settings();
    assertThat(merged.values().get("ways")).isEqualTo(new Settings.Value("30", "flag"));
    assertThat(merged.values().get("shots")).isEqualTo(new Settings.Value("4", "VAUBAN_SHOTS"));
    assertThat(merged.values().get("queries")).isEqualTo(new Settings.Value("7", file + " line 3"));
    assertThat(merged.values().get("filters")).isEqualTo(new Settings.Value("64", "default"));
    assertThat(merged.values().get("order")).isEqualTo(new Settings.Value("second", "default"));
  }

  /** What a method or a network does anyway is what its settings say. */
  @Test
  void settingsSayWhatIsDone() {
    Settings reptile = resolve(Map.of(), "train", "--method", "reptile").settings();
    assertThat(reptile.values().get("order"))
        .isEqualTo(new Settings.Value("first", "reptile is first-order"));
    Settings sgd = resolve(Map.of(), "train", "--method", "meta-sgd").settings();
    assertThat(sgd.get("order")).contains("second");
    Settings narrow = resolve(Map.of(), "train", "--model", "conv4-cifarfs").settings();
    assertThat(narrow.get("filters")).isEmpty();
    Settings wide =
        resolve(Map.of(), "train", "--data", "cifarfs:x", "--model", "conv4").settings();
    assertThat(wide.get("filters")).contains("64");
  }

  /** The whole output, so that a new option or another default shows up in review. */
  @Test
  void printConfigShowsEveryValueAndItsSource() {
    String yaml =
        resolve(
                Map.of("VAUBAN_GAMMA", "0.2", "VAUBAN_WORKERS", "2"),
                "train",
                "--method",
                "rmaml-out",
                "--data",
                "cifarfs:data/cifar fs")
            .settings()
            .toYaml();
    assertThat(yaml)
        .isEqualTo(
            """
            # vauban train
            method: rmaml-out                 # flag
            model: conv4-cifarfs              # suited to cifarfs
            inner-steps: 5                    # default
            inner-rate: 0.01                  # suited to cifarfs
            order: second                     # default
            gamma: 0.2                        # VAUBAN_GAMMA
            train-attack: fgsm-rs             # default
            train-attack-steps: 7             # default
            regularizer: ce                   # default
            views: suited                     # default
            contrast: 0.1                     # default
            unlabeled: 25                     # default
            copies: 5                         # default
            batch: 64                         # default
            eps: 8/255                        # suited to cifarfs
            data: "cifarfs:data/cifar fs"     # flag
            split: vinyals                    # default
            rotations: none                   # default
            ways: 5                           # default
            shots: 1                          # default
            queries: 15                       # default
            iterations: 1500                  # default
            meta-batch: 4                     # default
            meta-rate: 0.001                  # default
            schedule: constant                # default
            last-rate: 0.0                    # default
            train-ways: 0                     # default
            clip: 10.0                        # default
            log-every: 10                     # default
            checkpoint-every: 100             # default
            keep: 2                           # default
            max-minutes: 0.0                  # default
            validate-every: 250               # default
            validate-episodes: 50             # default
            validate-steps: 10                # default
            validate-shots: 0                 # default
            seed: 0                           # default
            device: cpu                       # default
            workers: 2                        # VAUBAN_WORKERS
            precision: f32                    # default
            out: runs/rmaml-out-cifarfs-5w1s  # default
            """);
  }

  @Test
  void whatPrintConfigSaysReadsBackAsTheSame() throws Exception {
    Settings first =
        resolve(Map.of(), "eval", "runs/none", "--eps", "4/255,8/255", "--data", "folder:a: #b")
            .settings();
    Path file = file(first.toYaml());
    Settings second =
        resolve(Map.of(), "eval", "runs/none", "--config", file.toString()).settings();
    assertThat(second.values().keySet()).isEqualTo(first.values().keySet());
    first.values().forEach((key, value) -> assertThat(second.get(key)).contains(value.text()));
  }

  @Test
  void listsAreWrittenAsInYaml() throws Exception {
    Path file = file("eps: [4/255, 8/255]\nfine-tune-steps:\n  - 1\n  - 10\n");
    Settings merged = resolve(Map.of(), "eval", "x", "--config", file.toString()).settings();
    assertThat(merged.get("eps")).contains("4/255,8/255");
    assertThat(merged.get("fine-tune-steps")).contains("1,10");
  }

  @Test
  void anUnknownKeyIsRefusedWithTheNearest() throws Exception {
    Path file = file("ways: 5\n\nshotz: 1\n");
    assertRefused(file, "line 3: unknown key 'shotz'; did you mean 'shots'?");
    assertRefused(
        file("episodes: 3\n"),
        "line 1: the key 'episodes' belongs to 'vauban quickstart', not to 'vauban train'");
    assertRefused(
        file("zzz: 3\n"),
        "line 1: unknown key 'zzz'; 'vauban train --print-config' lists the keys");
    assertRefused(file("json: true\n"), "line 1: unknown key 'json'");
  }

  @Test
  void aBadValueInAFileNamesItsLine() throws Exception {
    assertRefused(file("shots: 1\neps: 8\n"), "c.yaml line 2: eps: 8: eps is a fraction");
    assertRefused(file("ways: 1\n"), "c.yaml line 1: ways: 1: ways must be at least 2");
    assertRefused(file("ways: 5\nways: 6\n"), "ways");
    assertRefused(file("ways:\n"), "line 1: ways has no value");
    assertRefused(file("ways:\n  a: 1\n"), "line 1: ways holds a nested mapping");
    assertRefused(file("- a\n"), "lines of the form 'key: value' are expected");
    assertRefused(file("ways: [1\n"), "not valid YAML");
  }

  @Test
  void aBadValueInTheEnvironmentNamesItsVariable() {
    assertThatThrownBy(() -> resolve(Map.of("VAUBAN_EPS", "8"), "train"))
        .isInstanceOf(CommandException.class)
        .hasMessageStartingWith("VAUBAN_EPS=8: eps is a fraction");
  }

  @Test
  void anEmptyFileSetsNothing() throws Exception {
    Settings merged =
        resolve(Map.of(), "train", "--config", file("# nothing\n").toString()).settings();
    assertThat(merged.get("ways")).contains("5");
  }

  @Test
  void aMisspeltVariableIsNoticed() {
    assertThat(resolve(Map.of("VAUBAN_SHOTZ", "1"), "train").notices())
        .containsExactly(
            "the environment variable VAUBAN_SHOTZ sets nothing; did you mean VAUBAN_SHOTS?");
    // The launcher's and the library's own variables, and those of other commands, are no slips.
    assertThat(
            resolve(
                    Map.of(
                        "VAUBAN_JAVA_HOME",
                        "/x",
                        "VAUBAN_JAVA_OPTS",
                        "-Xmx1g",
                        "VAUBAN_BUILD",
                        "never",
                        "VAUBAN_ONEDNN",
                        "off",
                        "VAUBAN_EPISODES",
                        "100"),
                    "train")
                .notices())
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8/255",
        "omniglot:../data",
        "a: b",
        "a #b",
        "#a",
        "-",
        "- a",
        "true",
        "null",
        "1e-3",
        "x y",
        "\"quoted\"",
        "back\\slash",
        "[a]",
        "{a}",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "'a'",
        "a:",
        "~",
        "C:\\data",
        "yes",
        "é",
        "tab\there"
      })
  void quotedScalarsReadBackAsTheyWere(String text) {
    Map<String, ConfigFile.Entry> read =
        ConfigFile.parse("key: " + ConfigFile.quote(text) + "  # why\n", "test");
    assertThat(read.get("key").items()).containsExactly(text);
  }

  private void assertRefused(Path file, String sentence) {
    assertThatThrownBy(() -> resolve(Map.of(), "train", "--config", file.toString()))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining(sentence);
  }

  private Path file(String yaml) throws Exception {
    return Files.writeString(folder.resolve("c.yaml"), yaml);
  }

  private static Resolved resolve(Map<String, String> environment, String... arguments) {
    return new Resolver(Main.commandLine(), environment).resolve(arguments);
  }
}
