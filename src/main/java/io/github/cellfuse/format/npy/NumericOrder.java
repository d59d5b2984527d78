package io.github.cellfuse.format.npy;

import java.util.Comparator;

/**
 * The order of file names in which numbers count by their value: {@code part-2} comes before {@code part-10}. Names
 * whose numbers have leading zeros keep their place, so this is also the plain order of {@code part-0002} and
 * {@code part-0010}. Equal numbers with different leading zeros are in plain order.
 */
final class NumericOrder implements Comparator<String> {
    static final NumericOrder INSTANCE = new NumericOrder();

    private NumericOrder() {}

    @Override
    public int compare(String a, String b) {
        int i = 0;
        int j = 0;
        while (i < a.length() && j < b.length()) {
            if (isDigit(a.charAt(i)) && isDigit(b.charAt(j))) {
                int endOfA = endOfNumber(a, i);
                int endOfB = endOfNumber(b, j);
                int order = compareNumbers(significant(a, i, endOfA), significant(b, j, endOfB));
                if (order != 0) {
                    return order;
                }
                i = endOfA;
                j = endOfB;
            } else if (a.charAt(i) != b.charAt(j)) {
                return Character.compare(a.charAt(i), b.charAt(j));
            } else {
                i++;
                j++;
            }
        }
        int rest = Integer.compare(a.length() - i, b.length() - j);
        return rest != 0 ? rest : a.compareTo(b);
    }

    /** Numbers of any length: the longer one is the larger, as neither has leading zeros. */
    private static int compareNumbers(String a, String b) {
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }

    private static String significant(String name, int start, int end) {
        int first = start;
        while (first < end && name.charAt(first) == '0') {
            first++;
        }
        return name.substring(first, end);
    }

    private static int endOfNumber(String name, int start) {
        int end = start;
        while (end < name.length() && isDigit(name.charAt(end))) {
            end++;
        }
        return end;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
