package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.backend.cuda.Source.Positions;

/**
 * How the threads of a block read tiles of a product's factors: from memory into registers, and
 * from there, when the tile before is done with, into shared memory. Neighbouring threads read what
 * lies together, four elements at once where these are aligned.
 *
 * @param p the product
 * @param unit what multiplies, and takes words of one element or two
 * @param t the tiles
 * @param at what counts positions
 */
record Factors(Product p, Products.Unit unit, Tiling t, Positions at) {
  private static final int FOUR = 4;

  /** The C type of a word: a value, or what tensor cores take. */
  String value() {
    return unit == Products.Unit.THREADS ? Scalars.memory(Scalars.compute(p.a().type())) : "v_u32";
  }

  /**
   * The function that reads an element of a factor, or four neighbours: as values, or as tensor
   * cores take them.
   */
  String reader(String name, Product.Matrix m) {
    Source s = new Source();
    Product.Place place = m.place(s, "row", "column", at);
    if (place.exists() != null) {
      s.line("if (!(%s)) {", place.exists());
      s.line(m.inFours() ? "to[0] = to[1] = to[2] = to[3] = 0;" : "to[0] = 0;");
      s.line("return;").end();
    }
    if (m.inFours()) {
      String four = Scalars.four(m.type());
      s.line("const %s x = *(const %s*)(from + %s);", four, four, place.offset());
      for (int i = 0; i < FOUR; i++) {
        s.line("to[%d] = %s;", i, taken(m, "x.e[" + i + "]"));
      }
    } else {
      s.line("to[0] = %s;", taken(m, "from[" + place.offset() + "]"));
    }
    return "V_FN void $_%s(const %s* __restrict__ from, const %s row, const %s column, %s* to) {\n%s}\n"
        .formatted(name, Scalars.memory(m.type()), at.type(), at.type(), value(), s);
  }

  private String taken(Product.Matrix m, String element) {
    return switch (unit) {
      case THREADS -> Scalars.load(m.type(), Scalars.compute(m.type()), element);
      case BF16 -> "(v_u32)" + element;
      case TF32 -> "v_to_tf32(" + element + ")";
    };
  }

  /**
   * How threads read a factor's tile: rows of a (or columns of b) by words of terms, one word or
   * some neighbours at a time.
   *
   * @param name a or b
   * @param side rows or columns of the tile
   * @param words of terms
   * @param perWord terms in a word: two of bf16
   * @param termsLie whether neighbouring terms lie together, so that neighbouring threads read them
   * @param fours whether four elements are read at once
   */
  record Fetch(String name, int side, int words, int perWord, boolean termsLie, boolean fours) {
    /**
     * Words that a thread gets at once: in a row of terms, or at the same term of a row of places.
     */
    int many() {
      return !fours ? 1 : termsLie ? FOUR / perWord : FOUR;
    }

    int units() {
      return side * words / many();
    }

    int each(int threads) {
      return Math.ceilDiv(units(), threads);
    }

    /** Registers of a thread. */
    int registers(int threads) {
      return each(threads) * many();
    }

    /** Runs over a thread's units, whose first word and place are {@code word} and {@code own}. */
    void units(Source s, int threads, Runnable body) {
      s.line("#pragma unroll");
      s.line("for (v_u32 e = 0; e < %du; e++) {", each(threads));
      s.line("const v_u32 spot = threadIdx.x + e * %du;", threads);
      if (units() % threads != 0) {
        s.line("if (spot < %du) {", units());
      }
      if (termsLie) {
        int row = words / many();
        s.line("const v_u32 word = spot %% %du * %du, own = spot / %du;", row, many(), row);
      } else {
        int row = side / many();
        s.line("const v_u32 own = spot %% %du * %du, word = spot / %du;", row, many(), row);
      }
      body.run();
      if (units() % threads != 0) {
        s.end();
      }
      s.end();
    }
  }

  /** How a's tile is read. */
  Fetch left(int perWord) {
    return fetch("a", p.a(), t.rows(), perWord, p.a().rowsLie());
  }

  /** How b's tile is read. */
  Fetch right(int perWord) {
    return fetch("b", p.b(), t.columns(), perWord, !p.b().rowsLie());
  }

  private Fetch fetch(String name, Product.Matrix m, int side, int perWord, boolean termsLie) {
    return new Fetch(name, side, t.terms() / perWord, perWord, termsLie, m.inFours());
  }

  /** Code that reads a factor's terms from {@code k0} on into registers. */
  void read(Source s, Fetch f, int threads, String k0) {
    boolean left = f.name().equals("a");
    String limit = at.of(left ? p.m() : p.n());
    f.units(
        s,
        threads,
        () -> {
          s.line("const %s place = %s + own;", at.type(), left ? "m0" : "n0");
          s.line("const %s term = %s + word * %du;", at.type(), k0, f.perWord());
          boolean row = f.fours() && f.termsLie(); // four terms fill the words by themselves
          for (int w = 0; w < (row ? 1 : f.perWord()); w++) {
            String k = "term + " + w + "u";
            s.line("%s x%d[4] = {0, 0, 0, 0};", value(), w);
            s.line("if (place < %s && %s < end) {", limit, k);
            s.line(left ? "$_a(a, place, %s, x%d);" : "$_b(b, %s, place, x%d);", k, w);
            s.end();
          }
          for (int i = 0; i < f.many(); i++) {
            String word =
                f.perWord() == 1
                    ? "x0[" + i + "]"
                    : row
                        ? "x0[%d] | x0[%d] << 16".formatted(2 * i, 2 * i + 1)
                        : "x0[%d] | x1[%d] << 16".formatted(i, i);
            s.line("r%s[e * %du + %d] = %s;", f.name(), f.many(), i, word);
          }
        });
  }

  /**
   * Code that puts a factor's registers into shared memory: at once those that lie together there.
   *
   * @param spot where a word goes
   * @param termsLie whether words of neighbouring terms lie together there, else those of places
   */
  void put(Source s, Fetch f, int threads, Spot spot, boolean termsLie) {
    f.units(
        s,
        threads,
        () -> {
          String together = f.termsLie() == termsLie ? together(f.many()) : null;
          if (together != null) {
            s.line("%s all;", together);
            for (int i = 0; i < f.many(); i++) {
              s.line("all.e[%d] = r%s[e * %du + %d];", i, f.name(), f.many(), i);
            }
            s.line("*(%s*)&%s = all;", together, spot.of("own", "word"));
            return;
          }
          for (int i = 0; i < f.many(); i++) {
            String own = f.termsLie() ? "own" : "own + " + i + "u";
            String word = f.termsLie() ? "word + " + i + "u" : "word";
            s.line("%s = r%s[e * %du + %d];", spot.of(own, word), f.name(), f.many(), i);
          }
        });
  }

  /** The C type of neighbouring words, null if there is none. */
  private String together(int words) {
    boolean threads = unit == Products.Unit.THREADS;
    return switch (words) {
      case FOUR -> threads ? Scalars.four(Scalars.compute(p.a().type())) : "v_u32x4";
      case 2 -> threads ? null : "v_u32x2";
      default -> null;
    };
  }

  /** Where a word lies in shared memory. */
  interface Spot {
    String of(String own, String word);
  }
}
