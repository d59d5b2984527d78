package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Markdown pages: every link inside the project leads somewhere, and lines have the width that was promised. */
class DocsTest {
    private static final int COLUMNS = 100, README_LINES = 120;

    private static final List<String> DOCUMENTATION =
            List.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "examples");

    /** {@code [text](target)} and {@code ![text](target)}. */
    private static final Pattern LINK = Pattern.compile("\\]\\(([^()\\s]+(?:\\([^()\\s]*\\))?)\\)");

    /** A path below docs/ in the text of a source file: {@code docs/run.md}, with or without an anchor. */
    private static final Pattern MENTION = Pattern.compile("docs/[A-Za-z0-9_/-]+\\.(?:md|svg)(?:#[a-z0-9-]+)?");

    /** {@code folder/name} in backticks; a name in capitals is to be replaced by the reader. */
    private static final Pattern PATH = Pattern.compile("`(\\.?[a-z]+(?:/(?![A-Z]{2})[A-Za-z_.-]+)+)(?: [^`]*)?`");

    private static final String MAIN = "src/main/java/io/github/cellfuse/";

    private static final Pattern CODE = Pattern.compile("`[^`]*`"), HEADING = Pattern.compile("#{1,6} +(.*)");

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        int links = 0;
        List<String> roots = new ArrayList<>(DOCUMENTATION);
        roots.addAll(List.of("bench", "spark", "src"));
        for (Path page : pages(roots)) {
            for (String line : prose(page)) {
                Matcher link = LINK.matcher(CODE.matcher(line).replaceAll("``"));
                while (link.find()) {
                    links++;
                    check(page, page, link.group(1), broken);
                }
            }
        }
        assertEquals(List.of(), broken);
        assertTrue(links > 100, "only " + links + " links were found: the pattern no longer fits");
    }

    /** {@code jvm/Activations} is a class, {@code kernels/lstm_step.cl} a file of the project. */
    @Test
    void everyFileThatContributorsAreToldOfExists() throws IOException {
        List<String> missing = new ArrayList<>();
        for (Path page : List.of(Path.of("CONTRIBUTING.md"), Path.of("docs/design/architecture.md"))) {
            Matcher path = PATH.matcher(String.join("\n", prose(page)));
            while (path.find()) {
                String name = path.group(1);
                boolean exists = Stream.of(name, MAIN + name, MAIN + name + ".java")
                        .anyMatch(file -> Files.exists(Path.of(file)));
                if (!exists) {
                    missing.add(page + ": " + name);
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void everyPageThatASourceFileNamesExists() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path file : sources()) {
            Matcher mention = MENTION.matcher(Files.readString(file));
            while (mention.find()) {
                check(file, Path.of("README.md"), mention.group(), broken);
            }
        }
        assertEquals(List.of(), broken);
    }

    @Test
    void everyPageIsReachedFromTheReadme() throws IOException {
        Set<Path> reached = new HashSet<>(), open = new HashSet<>(Set.of(Path.of("README.md")));
        while (!open.isEmpty()) {
            Path page = open.iterator().next();
            open.remove(page);
            if (!reached.add(page) || !page.toString().endsWith(".md") || !Files.exists(page)) {
                continue;
            }
            for (String line : prose(page)) {
                Matcher link = LINK.matcher(line);
                while (link.find()) {
                    String file = link.group(1).replaceAll("#.*", "");
                    if (!isExternal(file) && !file.isEmpty()) {
                        open.add(resolve(page, file));
                    }
                }
            }
        }
        try (Stream<Path> docs = Files.walk(Path.of("docs"))) {
            List<Path> unreached = docs.filter(path -> path.toString().endsWith(".md"))
                    .filter(path -> !path.endsWith("README.md") && !reached.contains(path))
                    .toList();
            assertEquals(List.of(), unreached);
        }
    }

    @Test
    void linesAreAtMostAHundredColumnsWide() throws IOException {
        List<String> wide = new ArrayList<>();
        for (Path page : pages(DOCUMENTATION)) {
            List<String> lines = prose(page);
            for (int k = 0; k < lines.size(); k++) {
                String line = lines.get(k);
                if (line.codePointCount(0, line.length()) > COLUMNS && !line.startsWith("|")) {
                    wide.add(page + ":" + (k + 1));
                }
            }
        }
        assertEquals(List.of(), wide);
    }

    @Test
    void theReadmeIsShort() throws IOException {
        int lines = Files.readAllLines(Path.of("README.md")).size();
        assertTrue(lines <= README_LINES, "README.md: expected at most " + README_LINES + " lines, found " + lines);
    }

    /** Checks a target that {@code file} names, as seen from {@code page}. */
    private static void check(Path file, Path page, String target, List<String> broken) throws IOException {
        if (isExternal(target)) {
            return;
        }
        int hash = target.indexOf('#');
        String name = hash < 0 ? target : target.substring(0, hash);
        Path path = name.isEmpty() ? page : resolve(page, name);
        if (!Files.exists(path)) {
            broken.add(file + ": " + target + ": no such file");
        } else if (hash >= 0 && !anchors(path).contains(target.substring(hash + 1))) {
            broken.add(file + ": " + target + ": no such heading");
        }
    }

    private static boolean isExternal(String target) {
        return target.matches("[a-z]+:.*");
    }

    private static Path resolve(Path page, String file) {
        Path folder = page.getParent();
        return (folder == null ? Path.of(file) : folder.resolve(file)).normalize();
    }

    /** The anchors of a page's headings, as GitHub makes them: lower case, without punctuation, spaces as dashes. */
    private static Set<String> anchors(Path page) throws IOException {
        Map<String, Integer> seen = new HashMap<>();
        Set<String> anchors = new HashSet<>();
        for (String line : prose(page)) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                String text = heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}_\\- ]", "");
                String anchor = text.strip().replace(' ', '-');
                int times = seen.merge(anchor, 1, Integer::sum);
                anchors.add(times == 1 ? anchor : anchor + "-" + (times - 1));
            }
        }
        return anchors;
    }

    /** The lines of a page; those of code blocks are empty. */
    private static List<String> prose(Path page) throws IOException {
        List<String> lines = new ArrayList<>();
        boolean isCode = false;
        for (String line : Files.readAllLines(page)) {
            boolean isFence = line.stripLeading().startsWith("```");
            lines.add(isCode || isFence ? "" : line);
            isCode ^= isFence;
        }
        return lines;
    }

    private static List<Path> pages(List<String> roots) throws IOException {
        List<Path> pages = new ArrayList<>();
        for (String root : roots) {
            pages.addAll(files(Path.of(root), "md"));
        }
        return pages;
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String root : List.of("src", "kernels", "bench", "spark", "examples")) {
            sources.addAll(files(Path.of(root), "java", "cl", "md", "py", "proto"));
        }
        for (String root : List.of("bin", ".ci", "pom.xml", "bench/compare", "bench/jmh", "bench/pom.xml")) {
            sources.addAll(files(Path.of(root)));
        }
        return sources;
    }

    /** Files below {@code root} with one of these endings, or all if none is given; without those in target/. */
    private static List<Path> files(Path root, String... endings) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile)
                    .filter(path -> endings.length == 0
                            || Stream.of(endings)
                                    .anyMatch(ending -> path.toString().endsWith("." + ending)))
                    .filter(path -> Stream.of(path.toString().split("/")).noneMatch("target"::equals))
                    .toList();
        }
    }
}
