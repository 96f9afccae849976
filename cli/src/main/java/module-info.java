/** The vauban command line. */
module dev.vauban.cli {
  requires dev.vauban.meta;
  requires dev.vauban.tensor;
  requires dev.vauban.natives;
  requires info.picocli;
  requires java.net.http;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;
  requires com.fasterxml.jackson.annotation;
  requires org.slf4j;
  requires ch.qos.logback.classic;
  requires ch.qos.logback.core;
  requires me.tongfei.progressbar;

  exports dev.vauban.cli;
  exports dev.vauban.cli.command;
  exports dev.vauban.cli.job;
  exports dev.vauban.cli.run;
  exports dev.vauban.cli.config;
  exports dev.vauban.cli.failure;
  exports dev.vauban.cli.terminal;
  exports dev.vauban.cli.progress;
  exports dev.vauban.cli.report;
  exports dev.vauban.cli.reproduce;
  exports dev.vauban.cli.oracle;

  // picocli sets the options' fields; Jackson reads the records of the exported packages.
  opens dev.vauban.cli.command to
      info.picocli;

  uses dev.vauban.cli.command.Command;
  uses dev.vauban.cli.oracle.OracleProvider;

  provides ch.qos.logback.classic.spi.Configurator with
      dev.vauban.cli.logging.LogSetup;
}
