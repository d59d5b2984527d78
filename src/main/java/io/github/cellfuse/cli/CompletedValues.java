package io.github.cellfuse.cli;

import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The values of options that a shell completes, spelled as the help spells them. */
class CompletedValues implements Iterable<String> {
    private final List<String> values;

    private CompletedValues(Stream<String> values) {
        this.values = values.toList();
    }

    private static Stream<String> names(Enum<?>[] constants) {
        return Arrays.stream(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT));
    }

    @Override
    public Iterator<String> iterator() {
        return values.iterator();
    }

    /** Devices, but for {@code opencl:P.D}: to look for those takes longer than anybody waits for a shell. */
    static final class Devices extends CompletedValues {
        Devices() {
            super(Stream.of("auto", "java", "reference", "opencl"));
        }
    }

    static final class Plans extends CompletedValues {
        Plans() {
            super(names(Plan.values()));
        }
    }

    static final class Precisions extends CompletedValues {
        Precisions() {
            super(names(WeightPrecision.values()));
        }
    }
}
