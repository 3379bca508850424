DROP TABLE IF EXISTS order_lines;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS cart_lines;
DROP TABLE IF EXISTS products;
DROP TABLE IF EXISTS users;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL
);

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price INTEGER NOT NULL, -- cents
    stock INTEGER NOT NULL CHECK (stock >= 0)
);

CREATE TABLE cart_lines (
    user_id INTEGER NOT NULL REFERENCES users (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (user_id, product_id)
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    placed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL,
    price INTEGER NOT NULL, -- cents, when it was ordered
    PRIMARY KEY (order_id, product_id)
);

INSERT INTO products (name, description, price, stock) VALUES
    ('Fountain pen', 'A steel nib, medium, and a converter for bottled ink.', 2900, 12),
    ('Bottle of ink', 'Blue-black, 50 ml. Dries fast and does not fade.', 850, 40),
    ('Notebook', 'Dotted, 160 pages that lie flat.', 1200, 25),
    ('Blotting paper', 'Ten sheets.', 300, 100),
    ('Wax seal', 'Brass, with your initial. The last one.', 1900, 1),
    ('Letter opener', 'Olive wood. Sold out until spring.', 1450, 0);
