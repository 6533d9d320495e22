#include "quality/cholesky.h"

#include <math.h>

bool cholesky_factor(int n, double *a)
{
    for (int j = 0; j < n; j++) {
        double *row = a + j * n, pivot = row[j];
        for (int k = 0; k < j; k++)
            pivot -= row[k] * row[k];
        if (!(pivot > 0))
            return false;
        row[j] = sqrt(pivot);
        for (int i = j + 1; i < n; i++) {
            double *below = a + i * n, sum = below[j];
            for (int k = 0; k < j; k++)
                sum -= below[k] * row[k];
            below[j] = sum / row[j];
        }
    }
    return true;
}

void cholesky_solve(int n, const double *factor, double *b)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= factor[i * n + k] * b[k];
        b[i] /= factor[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            b[i] -= factor[k * n + i] * b[k];
        b[i] /= factor[i * n + i];
    }
}

void cholesky_invert(int n, const double *factor, double *out)
{
    for (int j = 0; j < n; j++) {
        double *column = out + j * n; /* a row: the inverse is symmetric */
        for (int i = 0; i < n; i++)
            column[i] = i == j ? 1 : 0;
        cholesky_solve(n, factor, column);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            out[j * n + i] = out[i * n + j];
}
