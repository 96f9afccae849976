package dev.vauban.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.cli.Main;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/**
 * Keeps {@code docs/cli.md} equal to what the commands say of themselves; here, because this module
 * sees them all. After a change of options: {@code mvn test -pl bench -am -Dtest=CliDocTest
 * -Dvauban.docs.write=true -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class CliDocTest {
  private static final String MARK = "<!-- generated from here on by CliDocTest -->\n";

  @Test
  void theReferenceIsUpToDate() throws Exception {
    Path file = Path.of("../docs/cli.md");
    assumeTrue(Files.exists(file), "docs/cli.md is read from the module's folder");
    String text = Files.readString(file);
    assertThat(text).contains(MARK);
    assertThat(Main.commandLine().getSubcommands()).containsKeys("train", "bench", "gates");
    String head = text.substring(0, text.indexOf(MARK) + MARK.length());
    StringBuilder generated = new StringBuilder(head);
    describe(Main.commandLine(), generated);
    if (Boolean.getBoolean("vauban.docs.write")) {
      Files.writeString(file, generated.toString());
    }
    assertThat(Files.readString(file)).isEqualTo(generated.toString());
  }

  private static void describe(CommandLine command, StringBuilder text) {
    String name = command.getCommandSpec().qualifiedName();
    command.getCommandSpec().usageMessage().width(100);
    text.append("\n## ").append(name).append("\n```\n");
    text.append(command.getUsageMessage(CommandLine.Help.Ansi.OFF).replace("\r\n", "\n").strip());
    text.append("\n```\n");
    command.getSubcommands().values().forEach(sub -> describe(sub, text));
  }
}
