package dev.vauban.cli.config;

import dev.vauban.adversarial.blackbox.Oracle;

/** What an oracle outside of Vauban answers with. */
public enum OracleReply implements Named {
  /** A score for every class. */
  SCORES("scores", Oracle.Reply.SCORES),
  /** The class alone. */
  LABELS("labels", Oracle.Reply.LABELS);

  private final String label;
  private final Oracle.Reply reply;

  OracleReply(String label, Oracle.Reply reply) {
    this.label = label;
    this.reply = reply;
  }

  /** The library's name for it. */
  public Oracle.Reply reply() {
    return reply;
  }

  @Override
  public String label() {
    return label;
  }

  @Override
  public String toString() {
    return label;
  }
}
