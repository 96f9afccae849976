package dev.vauban.cli.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Sets up Logback in code: an XML file would cost an XML parser at every start. Warnings go to
 * standard error; {@code --verbose} lowers the bar to DEBUG, {@code --quiet} raises it to ERROR.
 *
 * <p>Nothing here is loaded until something is logged, so commands that log nothing pay nothing.
 */
public final class LogSetup extends ContextAwareBase implements Configurator {
  /** The system property that holds the level for standard error. */
  public static final String LEVEL = "vauban.log.level";

  /** A line each, never a stack trace: those are for a run's log file. */
  static final String SCREEN = "%-5level %logger{0}: %msg%n%nopex";

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    ThresholdFilter threshold = new ThresholdFilter();
    threshold.setLevel(System.getProperty(LEVEL, "WARN"));
    threshold.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setName("stderr");
    console.setTarget("System.err");
    console.setEncoder(encoder(context, SCREEN));
    console.addFilter(threshold);
    console.start();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    context.getLogger("dev.vauban").setLevel(Level.DEBUG);
    root.addAppender(console);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  static PatternLayoutEncoder encoder(LoggerContext context, String pattern) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(pattern);
    encoder.start();
    return encoder;
  }
}
