package dev.vauban.adversarial.blackbox;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where the attacks of many images meet. Each runs in a (virtual) thread of its own and waits here
 * for answers; once all wait, their images go to the oracle together, in the order of the images.
 * What is asked together therefore never depends on which thread was quicker.
 */
final class Rounds {
  /** Images that one attack waits for. */
  private static final class Call {
    final int number;
    final float[][] images;
    Answers answers;

    Call(int number, float[][] images) {
      this.number = number;
      this.images = images;
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition allWait = lock.newCondition();
  private final Condition answered = lock.newCondition();
  private final List<Call> waiting = new ArrayList<>();
  private int alive;
  private boolean over;

  /** Counts one more attack in; before its thread starts. */
  void enter() {
    lock.lock();
    try {
      alive++;
    } finally {
      lock.unlock();
    }
  }

  /** Counts an attack out. */
  void leave() {
    lock.lock();
    try {
      alive--;
      allWait.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Asks, in the thread of an attack.
   *
   * @param number of the attacked image
   * @throws Stop if the campaign ends
   */
  Answers ask(int number, float[][] images) {
    Call call = new Call(number, images);
    lock.lock();
    try {
      waiting.add(call);
      allWait.signal();
      while (call.answers == null && !over) {
        answered.awaitUninterruptibly();
      }
      if (call.answers == null) {
        throw Stop.CUT_SHORT;
      }
      return call.answers;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until every attack has left or waits; the number of those that wait. */
  int await() {
    lock.lock();
    try {
      while (waiting.size() < alive) {
        allWait.awaitUninterruptibly();
      }
      return alive;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Answers everybody who waits. Only after {@link #await}, in the oracle's thread. If the oracle
   * fails, those whose images were all answered before still learn it.
   */
  void answer(Oracle oracle) {
    List<Call> calls;
    lock.lock();
    try {
      calls = new ArrayList<>(waiting);
    } finally {
      lock.unlock();
    }
    calls.sort(Comparator.comparingInt(c -> c.number));
    float[][] images = calls.stream().flatMap(c -> Arrays.stream(c.images)).toArray(float[][]::new);
    Batches batches = new Batches(oracle, images);
    try {
      batches.ask();
    } finally {
      deliver(calls, batches);
    }
  }

  private void deliver(List<Call> calls, Batches batches) {
    lock.lock();
    try {
      int at = 0;
      for (Call call : calls) {
        int end = at + call.images.length;
        if (end <= batches.answered) {
          call.answers = batches.answers(at, end);
          waiting.remove(call);
        }
        at = end;
      }
      answered.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends all attacks at their next or current question. */
  void end() {
    lock.lock();
    try {
      over = true;
      waiting.clear();
      answered.signalAll();
      while (alive > 0) {
        allWait.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** All answers, in calls that the oracle can take. */
  static Answers inBatches(Oracle oracle, float[][] images) {
    Batches batches = new Batches(oracle, images);
    batches.ask();
    return batches.answers(0, images.length);
  }

  /** The answers to some images, call by call. */
  private static final class Batches {
    final Oracle oracle;
    final float[][] images;
    final int[] labels;
    final double[][] scores;
    int answered;

    Batches(Oracle oracle, float[][] images) {
      this.oracle = oracle;
      this.images = images;
      labels = new int[images.length];
      scores = oracle.reply() == Oracle.Reply.SCORES ? new double[images.length][] : null;
    }

    void ask() {
      while (answered < images.length) {
        int to = Math.min(images.length, answered + oracle.largestBatch());
        Answers some = oracle.ask(Arrays.copyOfRange(images, answered, to));
        System.arraycopy(some.labels(), 0, labels, answered, to - answered);
        if (scores != null) {
          System.arraycopy(some.scores(), 0, scores, answered, to - answered);
        }
        answered = to;
      }
    }

    Answers answers(int from, int to) {
      return new Answers(
          Arrays.copyOfRange(labels, from, to),
          scores == null ? null : Arrays.copyOfRange(scores, from, to));
    }
  }

  /** Ends the program of an attack from within a question. Not a failure, so without a trace. */
  static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The image is fooled. */
    static final Stop SUCCESS = new Stop();

    /** The image's budget is spent. */
    static final Stop SPENT = new Stop();

    /** The campaign ends. */
    static final Stop CUT_SHORT = new Stop();

    private Stop() {
      super(null, null, false, false);
    }
  }
}
