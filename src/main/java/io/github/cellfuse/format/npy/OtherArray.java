package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Formats of numbers that aren't read, recognized by how they begin, with the line of Python that converts them. */
enum OtherArray {
    GZIP("gzip data", "import gzip; SAVE np.load(gzip.open(FILE))", start -> start.begins("\u001F\u008B")),
    BZIP2("bzip2 data", "import bz2; SAVE np.load(bz2.open(FILE))", start -> start.begins("BZh")),
    XZ("xz data", "import lzma; SAVE np.load(lzma.open(FILE))", start -> start.begins("\u00FD7zXZ")),
    MATLAB_73(
            "a MATLAB 7.3 file",
            "import h5py; SAVE h5py.File(FILE)[\"NAME\"][:].T",
            start -> start.begins("MATLAB 7.3")),
    MATLAB(
            "a MATLAB file",
            "import scipy.io; SAVE scipy.io.loadmat(FILE)[\"NAME\"]",
            start -> start.begins("MATLAB 5.0")),
    HDF5("HDF5", "import h5py; SAVE h5py.File(FILE)[\"NAME\"][:]", start -> start.begins("\u0089HDF")),
    PARQUET(
            "Parquet",
            "import pandas; SAVE pandas.read_parquet(FILE).to_numpy(\"float32\")",
            start -> start.begins("PAR1")),
    ARROW(
            "an Arrow file",
            "import pandas; SAVE pandas.read_feather(FILE).to_numpy(\"float32\")",
            start -> start.begins("ARROW1") || start.begins("FEA1")),
    EXCEL(
            "an Excel file",
            "import pandas; SAVE pandas.read_excel(FILE).to_numpy(\"float32\")",
            start -> start.begins("PK") && (start.has("[Content_Types].xml") || start.isNamed(".xlsx"))
                    || start.begins("\u00D0\u00CF\u0011\u00E0") && start.isNamed(".xls")),
    PYTORCH(
            "a PyTorch file",
            "import torch; SAVE torch.load(FILE).numpy()",
            start -> start.begins("PK") && start.has("/data.pkl")),
    PICKLE(
            "a Python pickle",
            "SAVE np.asarray(np.load(FILE, allow_pickle=True))",
            start -> start.at(0) == 0x80 && start.at(1) >= 2 && start.at(1) <= 5),
    SAFETENSORS(
            "safetensors",
            "import safetensors.numpy; SAVE safetensors.numpy.load_file(FILE)[\"NAME\"]",
            start -> start.text.startsWith("\0\0\0{\"", 5)),
    JSON(
            "JSON",
            "import json; SAVE np.array(json.load(open(FILE)), np.float32)",
            start -> start.isText() && start.text.strip().matches("(?s)[\\[{].*")),
    TABLE(
            "text with numbers",
            "SAVE np.loadtxt(FILE TABLE)",
            start -> start.isText() && start.text.chars().anyMatch(c -> c >= '0' && c <= '9'));

    /** Enough for the first entry of an archive and the first line of most tables. */
    static final int START_BYTES = 2048;

    /** What a word of a table that isn't the name of a column looks like. */
    private static final String NUMBER = "(?i)[-+]?([0-9.].*|nan|inf|infinity)|";

    private final String description, advice;
    private final Predicate<Start> matches;

    OtherArray(String description, String advice, Predicate<Start> matches) {
        this.description = description;
        this.advice = advice;
        this.matches = matches;
    }

    /**
     * How a file begins.
     *
     * @param text its first bytes
     */
    private record Start(String text, String name) {
        boolean begins(String with) {
            return text.startsWith(with);
        }

        boolean has(String part) {
            return text.contains(part);
        }

        boolean isNamed(String ending) {
            return name.toLowerCase(Locale.ROOT).endsWith(ending);
        }

        /** Returns a byte, or -1 after the end. */
        int at(int index) {
            return index < text.length() ? text.charAt(index) : -1;
        }

        boolean isText() {
            return !text.isBlank() && text.chars().noneMatch(c -> c < ' ' && c != '\t' && c != '\n' && c != '\r');
        }

        String firstLine() {
            return text.lines().findFirst().orElse("");
        }

        /** Returns the arguments with which NumPy reads the table. */
        String tableArguments() {
            List<String> arguments = new ArrayList<>(List.of(""));
            Stream.of(",", ";", "\t")
                    .filter(firstLine()::contains)
                    .findFirst()
                    .ifPresent(delimiter -> arguments.add("delimiter=\"" + delimiter.replace("\t", "\\t") + "\""));
            if (!firstLine().startsWith("#")
                    && Stream.of(firstLine().split("[,;\\s]+")).anyMatch(word -> !word.matches(NUMBER))) {
                arguments.add("skiprows=1");
            }
            return String.join(", ", arguments);
        }
    }

    /**
     * Returns the error for what isn't a {@code .npy} file.
     *
     * @param bytes how it begins, up to {@link #START_BYTES} bytes
     */
    static InvalidInputException refusal(byte[] bytes, Object label) {
        Start start = new Start(new String(bytes, StandardCharsets.ISO_8859_1), label.toString());
        Optional<OtherArray> found =
                Stream.of(values()).filter(each -> each.matches.test(start)).findFirst();
        String what = "not a NumPy file: it doesn't begin with \\x93NUMPY";
        return Problems.invalid(
                label,
                found.map(each -> what + "; found " + each.description + "; convert it in Python: "
                                + each.line(start, label))
                        .orElse(what));
    }

    private String line(Start start, Object label) {
        String line = advice.replace("FILE", PythonLines.text(label)).replace(" TABLE", start.tableArguments());
        int at = line.indexOf("SAVE ");
        return line.substring(0, at) + PythonLines.save(line.substring(at + "SAVE ".length()));
    }
}
