package dev.vauban.tensor.backend.cpu;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * One method under construction: typed local variables over ASM, so that the code that emits reads
 * like the code that is emitted. Locals are taken like a stack: {@link #mark} and {@link #release}.
 */
final class Bytecode {

  /** A local variable. */
  record Slot(Class<?> type, int index) {}

  private final MethodVisitor visitor;
  private int next;

  /**
   * @param visitor receives the instructions
   * @param parameterWords local variable words that the parameters (and {@code this}) occupy
   */
  Bytecode(MethodVisitor visitor, int parameterWords) {
    this.visitor = visitor;
    this.next = parameterWords;
  }

  /** The point to which {@link #release} goes back. */
  int mark() {
    return next;
  }

  /** Gives back all locals that were taken since {@code mark}. */
  void release(int mark) {
    next = mark;
  }

  Slot slot(Class<?> type) {
    Slot slot = new Slot(type, next);
    next += Type.getType(type).getSize();
    return slot;
  }

  void load(Slot slot) {
    visitor.visitVarInsn(Type.getType(slot.type()).getOpcode(Opcodes.ILOAD), slot.index());
  }

  /** Pops the top of the stack into an existing local. */
  void store(Slot slot) {
    visitor.visitVarInsn(Type.getType(slot.type()).getOpcode(Opcodes.ISTORE), slot.index());
  }

  /** Pops the top of the stack into a new local. */
  Slot keep(Class<?> type) {
    Slot slot = slot(type);
    store(slot);
    return slot;
  }

  void op(int opcode) {
    visitor.visitInsn(opcode);
  }

  void push(int value) {
    if (value >= -1 && value <= 5) {
      visitor.visitInsn(Opcodes.ICONST_0 + value);
    } else if (value == (byte) value) {
      visitor.visitIntInsn(Opcodes.BIPUSH, value);
    } else if (value == (short) value) {
      visitor.visitIntInsn(Opcodes.SIPUSH, value);
    } else {
      visitor.visitLdcInsn(value);
    }
  }

  void push(long value) {
    if (value == 0 || value == 1) {
      visitor.visitInsn(value == 0 ? Opcodes.LCONST_0 : Opcodes.LCONST_1);
    } else if (value == (short) value) {
      push((int) value);
      visitor.visitInsn(Opcodes.I2L);
    } else {
      visitor.visitLdcInsn(value);
    }
  }

  void push(float value) {
    visitor.visitLdcInsn(value);
  }

  void push(double value) {
    visitor.visitLdcInsn(value);
  }

  /** Pushes a static field. */
  void push(Class<?> owner, String field) {
    try {
      Class<?> type = owner.getDeclaredField(field).getType();
      visitor.visitFieldInsn(
          Opcodes.GETSTATIC, Type.getInternalName(owner), field, Type.getDescriptor(type));
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }

  /** Calls the method with these parameter types, static or virtual as declared. */
  void call(Class<?> owner, String name, Class<?>... parameters) {
    Method method;
    try {
      method = owner.getDeclaredMethod(name, parameters);
    } catch (NoSuchMethodException e) {
      throw new AssertionError(e);
    }
    int opcode =
        Modifier.isStatic(method.getModifiers())
            ? Opcodes.INVOKESTATIC
            : owner.isInterface() ? Opcodes.INVOKEINTERFACE : Opcodes.INVOKEVIRTUAL;
    visitor.visitMethodInsn(
        opcode,
        Type.getInternalName(owner),
        name,
        Type.getMethodDescriptor(method),
        owner.isInterface());
  }

  /** Calls a static method of the class that is being emitted. */
  void callOwn(String owner, String name, String descriptor) {
    visitor.visitMethodInsn(Opcodes.INVOKESTATIC, owner, name, descriptor, false);
  }

  void cast(Class<?> type) {
    visitor.visitTypeInsn(Opcodes.CHECKCAST, Type.getInternalName(type));
  }

  /** Adds {@code (long) i * bytes} to the address on the stack. */
  void addScaled(Slot i, long bytes) {
    load(i);
    op(Opcodes.I2L);
    push(bytes);
    op(Opcodes.LMUL);
    op(Opcodes.LADD);
  }

  /** Emits {@code for (int i = start; i < end; i += step) body}. */
  void loop(Slot i, int step, Runnable pushStart, Runnable pushEnd, Runnable body) {
    pushStart.run();
    store(i);
    Label head = new Label();
    Label exit = new Label();
    visitor.visitLabel(head);
    load(i);
    pushEnd.run();
    visitor.visitJumpInsn(Opcodes.IF_ICMPGE, exit);
    body.run();
    load(i);
    push(step);
    op(Opcodes.IADD);
    store(i);
    visitor.visitJumpInsn(Opcodes.GOTO, head);
    visitor.visitLabel(exit);
  }

  /** Emits {@code if (a == b) body} for two ints. */
  void ifEqual(Runnable pushA, Runnable pushB, Runnable body) {
    Label exit = new Label();
    pushA.run();
    pushB.run();
    visitor.visitJumpInsn(Opcodes.IF_ICMPNE, exit);
    body.run();
    visitor.visitLabel(exit);
  }

  /** Ends a method that returns nothing; gives its size in bytes. */
  int end() {
    visitor.visitInsn(Opcodes.RETURN);
    Label end = new Label();
    visitor.visitLabel(end);
    visitor.visitMaxs(0, 0);
    visitor.visitEnd();
    return end.getOffset();
  }
}
