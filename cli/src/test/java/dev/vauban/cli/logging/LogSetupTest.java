package dev.vauban.cli.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogSetupTest {
  @TempDir Path folder;

  @Test
  void theScreenGetsALineWithoutTheStackTrace() {
    LoggerContext context = new LoggerContext();
    LoggingEvent event =
        new LoggingEvent(
            "",
            context.getLogger("dev.vauban.cli.run.RunDirectory"),
            Level.DEBUG,
            "cannot close the lock file",
            new IllegalStateException("broken"),
            null);
    byte[] line = LogSetup.encoder(context, LogSetup.SCREEN).encode(event);
    assertThat(new String(line, StandardCharsets.UTF_8))
        .isEqualToNormalizingNewlines("DEBUG RunDirectory: cannot close the lock file\n");
  }

  @Test
  void theLogOfARunKeepsIt() throws Exception {
    Path file = folder.resolve("log.txt");
    System.Logger logger = System.getLogger("dev.vauban.test");
    try (RunLog log = RunLog.to(file)) {
      logger.log(System.Logger.Level.DEBUG, "tried", new IllegalStateException("broken"));
    }
    logger.log(System.Logger.Level.DEBUG, "later");
    assertThat(Files.readString(file))
        .contains("tried", "IllegalStateException: broken", "\tat ")
        .doesNotContain("later");
  }
}
