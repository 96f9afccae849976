package dev.vauban.tensor.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed set of threads that share the elements of one task at a time. The calling thread is
 * worker 0. Handing out work allocates nothing; idle threads sleep.
 */
final class Workers implements AutoCloseable {
  private static final int SPINS = 2000; // a few microseconds: the gap between two Map nodes

  /** A task of independent elements. */
  interface Task {
    /** Processes one element on one worker; a worker has one element at a time. */
    void element(int index, int worker);
  }

  private final Thread[] threads;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger active = new AtomicInteger();
  private Task task;
  private int count;
  private volatile int epoch;
  private volatile Thread caller;
  private volatile Throwable failure;
  private volatile boolean closed;

  /** {@code size} workers: the caller and {@code size - 1} daemon threads. */
  Workers(int size) {
    threads = new Thread[size - 1];
    for (int i = 0; i < threads.length; i++) {
      int worker = i + 1;
      threads[i] = new Thread(() -> serve(worker), "vauban-worker-" + worker);
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  /** Number of workers, the caller included. */
  int size() {
    return threads.length + 1;
  }

  /**
   * Runs {@code t} on elements 0..n-1, on workers 0..n-1 at most, and returns when all are done;
   * one call at a time.
   */
  void run(Task t, int n) {
    if (threads.length == 0 || n <= 1) {
      for (int i = 0; i < n; i++) {
        t.element(i, 0);
      }
      return;
    }
    task = t;
    count = n;
    failure = null;
    caller = Thread.currentThread();
    next.set(0);
    active.set(threads.length);
    epoch++; // publishes the task; only the caller writes it
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    work(0);
    for (int spins = 0; active.get() > 0; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.park(this);
      }
    }
    Throwable f = failure;
    task = null;
    if (f instanceof RuntimeException e) {
      throw e;
    } else if (f instanceof Error e) {
      throw e;
    }
  }

  private void work(int worker) {
    if (worker >= count) {
      return; // a task has no more frames than elements
    }
    try {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        task.element(i, worker);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      next.set(count); // the others stop early
    }
  }

  private void serve(int worker) {
    int seen = 0;
    while (!closed) {
      for (int spins = 0; epoch == seen && !closed; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      seen = epoch;
      work(worker);
      if (active.decrementAndGet() == 0) {
        LockSupport.unpark(caller);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread t : threads) {
      LockSupport.unpark(t);
    }
  }
}
