package dev.vauban.cli.work;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.nn.data.SplitKind;
import org.junit.jupiter.api.Test;

class DataRolesTest {

  @Test
  void whatEvaluationsAreMadeOfIsSaidAsItIs() {
    try (FewShotData glyphs = DataSets.open("glyphs")) {
      assertThat(DataRoles.evaluatedOn(glyphs)).isEqualTo("unseen classes");
      FewShotData digits = like(glyphs, SplitKind.BY_IMAGE, glyphs.test());
      assertThat(DataRoles.evaluatedOn(digits)).isEqualTo("unseen images of the training classes");
      FewShotData partial = like(glyphs, SplitKind.BY_CLASS, glyphs.test().select(new int[0]));
      assertThat(DataRoles.evaluatedOn(partial))
          .isEqualTo("validation classes (this copy of glyphs has no test classes)");
    }
  }

  private static FewShotData like(FewShotData data, SplitKind kind, ImageSet test) {
    return new FewShotData(
        data.name(), "", kind, data.all(), data.train(), data.validation(), test);
  }
}
